# SPDX-License-Identifier: GPL-2.0
"""The virtio-energy device: a guest sees its own account, cheaply and in time."""

import re
import subprocess
import threading
import time
from pathlib import Path

import pytest

import accounts
import kernels
from accounts import wait_for
from conftest import DRIVER, GUEST_ENERGY, check_health, guest_uj
from loads import RUN_S, SPIN, VmAccount, spinning

READS = 100_000
HANDFUL = 10


class Exits:
    """How often a VM's vCPUs left the guest since this was made: at all, and for a device."""

    def __init__(self, pid):
        self._directory, = Path("/sys/kernel/debug/kvm").glob(f"{pid}-*")
        self._start = self._look()

    def _look(self):
        every, mmio, port = (int((self._directory / name).read_text())
                             for name in ("exits", "mmio_exits", "io_exits"))
        return every, mmio + port

    def count(self):
        """(all exits, those for devices)"""
        return [now - then for now, then in zip(self._look(), self._start)]


def test_driver_binds(aware):
    assert aware.check(f"ls {DRIVER}").count("virtio") >= 1
    assert "energy is measured by virtio-energy" in aware.check("dmesg")
    period_us = int(aware.check(f"cat {DRIVER}/virtio*/update_period_us"))
    update_ms = int(Path("/sys/module/vmenergy_mdev/parameters/update_ms").read_text())
    assert period_us == 1000 * update_ms


@pytest.mark.accuracy
@pytest.mark.parametrize("busy", [0, 1])
def test_guest_reads_what_the_host_charges(aware, busy):
    """A reading is between what the zone showed one period ago and what it shows now."""
    period_s = int(aware.check(f"cat {DRIVER}/virtio*/update_period_us")) / 1e6
    tick_s = 1 / kernels.Kernel(kernels.current()).hz()
    quantum_uj = int(aware.check(f"cat {DRIVER}/virtio*/quantum_uj"))
    late = 0
    with spinning(aware, busy):
        for _ in range(20):
            start_uj, start = accounts.zone_uj(f"vm-{aware.pid}"), time.monotonic()
            seen_uj = guest_uj(aware)
            end_uj, end = accounts.zone_uj(f"vm-{aware.pid}"), time.monotonic()
            assert seen_uj <= end_uj
            power_uw = max((end_uj - start_uj) / (end - start), 1000 * accounts.busy_mw())
            lag_uj = start_uj - seen_uj
            print(f"behind by {lag_uj / power_uw * 1000:.1f} ms")
            late += lag_uj > power_uw * (period_s + tick_s) + quantum_uj
    assert late <= 1


@pytest.mark.accuracy
def test_two_vms_are_charged_apart(guest, aware):
    """As in test_charging.py, and here one of the VMs has a device."""
    both = VmAccount(guest), VmAccount(aware)
    with spinning(guest, 1):
        time.sleep(RUN_S)
        busy_ns, idle_ns = [account.check() for account in both]
    assert busy_ns > idle_ns


@pytest.mark.accuracy
def test_reading_the_page_takes_no_exits(aware):
    device, = aware.check(f"ls -d {DRIVER}/virtio*/energy_uj").split()
    exits = Exits(aware.pid)
    out = aware.check(f"readloop {READS} {device}", timeout=120)
    every, emulated = exits.count()
    # The command itself comes and goes over a virtio port.
    exits = Exits(aware.pid)
    aware.check("readloop 1 /proc/uptime")
    _, baseline = exits.count()
    first, last, fell, ns = map(int, out.split())
    # Interrupts come and go all the time.
    exits = Exits(aware.pid)
    aware.check(f"timeout {ns * READS / 1e9:.2f} sh -c '{SPIN}'; true")
    interrupts, _ = exits.count()
    print(f"{READS} readings, {ns} ns each, {emulated} exits for devices, {baseline} without them;"
          f" {every} with interrupts, {interrupts} without them")
    assert fell == 0 and last > first
    assert emulated <= baseline + HANDFUL
    assert every <= 2 * interrupts + READS / 50


def test_counters_never_run_backwards(aware):
    path, = aware.check(f"ls -d {DRIVER}/virtio*/energy_uj").split()
    outputs = []
    threads = [threading.Thread(target=lambda file=file: outputs.append(
        aware.check(f"readloop 20000 {file}", timeout=120))) for file in (path, GUEST_ENERGY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for output in outputs:
        assert output.split()[2] == "0"
    assert len(outputs) == 2


def _guest_rows(machine):
    return {row.domain if row.domain != "-" else row.kind: row
            for row in accounts.parse(machine.check("cat /proc/vmenergy"))}


def test_guest_charges_its_own_domains(aware):
    """A process that uses the VM's time gets the VM's energy, but for what the test itself uses."""
    aware.check("mkdir -p /sys/kernel/config; mount -t configfs configfs /sys/kernel/config; true")
    directory = "/sys/kernel/config/vmenergy/job"
    aware.check(f"mkdir {directory}; sh -c '{SPIN}' >/dev/null 2>&1 & "
                f"sleep 0.1; echo $! >{directory}/pid; echo 1 >{directory}/live")
    start = _guest_rows(aware)
    time.sleep(3)
    end = _guest_rows(aware)
    aware.check(f"kill $(cat {directory}/pid); rmdir {directory}")
    assert sum(row.own for row in end.values()) == end["machine"].energy
    machine_uj = end["machine"].energy - start["machine"].energy
    assert 0.5 * float(machine_uj) < end["job"].energy - start["job"].energy <= machine_uj


def test_guest_can_ask_for_each_reading(aware):
    """Without the page, each reading is a request over the requestq."""
    aware.check("rmmod virtio_energy && insmod /modules/virtio_energy.ko page=0")
    try:
        assert aware.check(f"cat {DRIVER}/virtio*/source").strip() == "request"
        device, = aware.check(f"ls -d {DRIVER}/virtio*/energy_uj").split()
        start_uj = accounts.zone_uj(f"vm-{aware.pid}")
        first, last, fell, _ = map(int, aware.check(f"readloop 200 {device}").split())
        assert fell == 0
        assert start_uj - 10**6 < first < last <= accounts.zone_uj(f"vm-{aware.pid}")
        assert guest_uj(aware) >= last
    finally:
        aware.check("rmmod virtio_energy && insmod /modules/virtio_energy.ko")
    assert aware.check(f"cat {DRIVER}/virtio*/source").strip() == "page"


def test_guest_driver_comes_and_goes(aware):
    for _ in range(5):
        aware.check("rmmod virtio_energy && insmod /modules/virtio_energy.ko")
        before = accounts.zone_uj(f"vm-{aware.pid}")
        assert wait_for(lambda: guest_uj(aware) >= before)
    aware.check("rmmod virtio_energy vmenergy && insmod /modules/vmenergy.ko && "
                "insmod /modules/virtio_energy.ko")
    start_uj = accounts.zone_uj(f"vm-{aware.pid}")
    assert guest_uj(aware) > start_uj - 10**6
    assert guest_uj(aware) <= accounts.zone_uj(f"vm-{aware.pid}")


def test_core_stays_while_the_driver_uses_it(aware):
    status, output = aware.run("rmmod vmenergy")
    assert status and re.search("in use|unavailable|busy", output)


def test_reset_keeps_the_account(aware):
    """Even if the driver is gone by then."""
    check_health(aware)
    before = guest_uj(aware)
    aware.check("rmmod virtio_energy")
    aware.reset()
    assert guest_uj(aware) > before


def test_device_is_for_one_vm(aware):
    device, = Path("/sys/bus/mdev/devices").iterdir()
    refused = subprocess.run(
        ["timeout", "30", "qemu-system-x86_64", "-M", "q35", "-accel", "kvm", "-display", "none",
         "-nodefaults", "-device", f"vfio-pci,sysfsdev={device}"],
        capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "busy" in refused.stderr.lower()


def test_module_stays_while_a_device_is_open(aware):
    refused = subprocess.run(["rmmod", "vmenergy_mdev"], capture_output=True, text=True,
                             check=False)
    assert refused.returncode and "in use" in refused.stderr
