# SPDX-License-Identifier: GPL-2.0
"""virtio-energy devices come and go in any order."""

import os
import signal

import accounts
import kernels
from accounts import wait_for
from conftest import DRIVER, aware_guest, check_health, guest_uj, unload

GONE_S = 5


def test_killed_vm_leaves_its_energy_and_nothing_else(make_device):
    device = make_device()
    ended = accounts.table()[-1].energy
    with aware_guest(device.qemu_args()) as machine:
        name = f"vm-{machine.pid}"
        assert guest_uj(machine) > 0
        used = accounts.row(name).energy
        os.kill(machine.pid, signal.SIGKILL)
        wait_for(lambda: not accounts.row(name), GONE_S)
        assert not accounts.zone(name)
    rows = accounts.table()
    assert rows[-1].kind == "ended"
    assert rows[-1].energy >= ended + used
    assert sum(row.own for row in rows) == rows[0].energy
    device.remove()
    assert not device.path.exists()
    unload("vmenergy_mdev", "vmenergy")
    kernels.load("vmenergy_mdev")


def test_device_can_be_unplugged(make_device):
    device = make_device()
    port = ["-device", "pcie-root-port,id=hotplug0,chassis=1,pref64-reserve=2G"]
    with aware_guest(port + device.qemu_args(bus="hotplug0")) as machine:
        assert guest_uj(machine) > 0
        device.remove()
        wait_for(lambda: not machine.check(f"ls {DRIVER}").count("virtio"))
        before = guest_uj(machine)
        machine.check("for i in $(seq 20000); do :; done")
        # Without a meter the guest goes on by its own model.
        assert wait_for(lambda: guest_uj(machine) > before)
        check_health(machine)
    assert not device.path.exists()
