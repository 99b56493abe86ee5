# SPDX-License-Identifier: GPL-2.0
"""VMs and modules come and go in any order."""

import subprocess
from pathlib import Path

import accounts
import kernels
from accounts import Cgroup, Config, wait_for
from conftest import unload


def _is_domain(machine):
    return accounts.row(f"vm-{machine.pid}") and accounts.zone(f"vm-{machine.pid}")


def test_vm_that_runs_already_is_found(unloaded, shared_guest):
    for _ in range(2):
        kernels.load("vmenergy")
        wait_for(lambda: _is_domain(shared_guest))
        unload("vmenergy")
        shared_guest.check("true")


def test_reboot_keeps_the_account(guest):
    before = accounts.row(f"vm-{guest.pid}").energy
    guest.reboot(lambda: guest.check("(sleep 0.1; busybox reboot -f) >/dev/null 2>&1 &"))
    assert accounts.row(f"vm-{guest.pid}").energy > before


def test_module_in_use_stays(unloaded):
    kernels.load("vmenergy")
    with Cgroup("user") as cgroup, Config("user", cgroup=cgroup.name):
        refused = subprocess.run(["rmmod", "vmenergy"], capture_output=True, text=True,
                                 check=False)
        assert refused.returncode and "in use" in refused.stderr
    kernels.load("vmenergy_mdev")
    refused = subprocess.run(["rmmod", "vmenergy"], capture_output=True, text=True, check=False)
    assert refused.returncode and "in use" in refused.stderr
    unload("vmenergy_mdev", "vmenergy")


def test_module_comes_and_goes_under_load(unloaded):
    load = subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"])
    try:
        for _ in range(10):
            kernels.load("vmenergy")
            with Cgroup("quick") as cgroup, Config("quick", cgroup=cgroup.name):
                cgroup.add(load.pid)
                wait_for(lambda: accounts.row("quick").energy > 0)
            load.wait()
            load = subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"])
            unload("vmenergy")
    finally:
        load.kill()
        load.wait()


def test_cpus_come_and_go(core):
    online = Path("/sys/devices/system/cpu/cpu1/online")
    load = [subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"]) for _ in range(3)]
    try:
        with Cgroup("moving") as cgroup, Config("moving", cgroup=cgroup.name):
            for child in load:
                cgroup.add(child.pid)
            for _ in range(3):
                for value in "01":
                    online.write_text(value)
                    before = accounts.row("moving").energy
                    wait_for(lambda: accounts.row("moving").energy > before)
                    assert accounts.is_exact()
                    for charged_pj, accounted_pj in accounts.audit().values():
                        assert charged_pj == accounted_pj
    finally:
        online.write_text("1")
        for child in load:
            child.kill()
            child.wait()
