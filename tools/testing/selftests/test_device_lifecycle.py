# SPDX-License-Identifier: GPL-2.0
"""virtio-energy devices come and go in any order."""

import concurrent.futures
import os
import signal
import threading

import pytest

import accounts
import kernels
import vm
from accounts import Config, wait_for
from conftest import (DRIVER, HOTPLUG_BUS, HOTPLUG_PORT, aware_guest, check_health,
                      guest_kernel, guest_uj, unload)
from mdev import Mdev

GONE_S = 30
# A removal that would not wait would be done by then.
BLOCKED_S = 1


def _kill(machine):
    os.kill(machine.pid, signal.SIGKILL)
    wait_for(lambda: not accounts.row(f"vm-{machine.pid}"), GONE_S)
    assert not accounts.zone(f"vm-{machine.pid}")


def _device_uj(machine):
    return int(machine.check(f"cat {DRIVER}/virtio*/energy_uj"))


def test_device_of_a_killed_vm_serves_the_next(make_device):
    """The next one reads all the time, and its device can't be removed before it is killed."""
    device = make_device()
    ended = accounts.row_of_kind("ended").energy
    with aware_guest(device.qemu_args()) as machine:
        assert guest_uj(machine) > 0
        used = accounts.row(f"vm-{machine.pid}").energy
        _kill(machine)
    assert accounts.row_of_kind("ended").energy >= ended + used
    assert accounts.is_exact()
    with aware_guest(device.qemu_args()) as machine:
        # A new VM has a new account.
        assert 0 < guest_uj(machine) <= accounts.zone_uj(f"vm-{machine.pid}")
        path, = machine.check(f"ls -d {DRIVER}/virtio*/energy_uj").split()
        machine.check(f"readloop 100000000 {path} >/dev/null 2>&1 &")
        removal = threading.Thread(target=device.remove)
        removal.start()
        removal.join(BLOCKED_S)
        assert removal.is_alive()
        assert guest_uj(machine) > 0
        check_health(machine)
        _kill(machine)
        removal.join(GONE_S)
        assert not removal.is_alive()
    assert not device.path.exists()
    unload("vmenergy_mdev", "vmenergy")
    kernels.load("vmenergy_mdev")


def test_device_can_be_unplugged(make_device):
    device = make_device()
    with aware_guest(HOTPLUG_PORT + device.qemu_args(bus=HOTPLUG_BUS)) as machine:
        assert guest_uj(machine) > 0
        device.remove()
        wait_for(lambda: not machine.check(f"ls {DRIVER}").count("virtio"))
        before = guest_uj(machine)
        machine.check("for i in $(seq 20000); do :; done")
        # Without a meter the guest goes on by its own model.
        assert wait_for(lambda: guest_uj(machine) > before)
        check_health(machine)
    assert not device.path.exists()


@pytest.mark.parametrize("has_device, after_s", [(True, 0), (True, 1), (False, 1)])
def test_vm_may_be_killed_while_it_boots(make_device, has_device, after_s):
    """As soon as it has an account, or has used some CPU time besides."""
    machine = aware_guest(make_device().qemu_args()) if has_device else vm.guest(guest_kernel())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        boot = pool.submit(machine.start)
        wait_for(lambda: machine.running)
        row = wait_for(lambda: accounts.row(f"vm-{machine.pid}"))
        enough_uj = row.energy + after_s * 1000 * accounts.busy_mw()
        wait_for(lambda: accounts.row(f"vm-{machine.pid}").energy >= enough_uj)
        _kill(machine)
        with pytest.raises(vm.MachineError):
            boot.result()


def test_module_takes_its_idle_devices_along(make_device):
    device = make_device()
    assert device.path.exists()
    unload("vmenergy_mdev")
    assert not device.path.exists()
    kernels.load("vmenergy_mdev")


def test_account_stays_when_its_description_goes(unloaded):
    """A VM that was made a domain by hand keeps its account while its device shows it."""
    with aware_guest(HOTPLUG_PORT) as machine:
        # A VM that stands still isn't found, so that there is time to describe it.
        machine.qmp("stop")
        kernels.load("vmenergy_mdev")
        with Config("mine", pid=machine.pid):
            machine.qmp("cont")
            device = Mdev()
            machine.qmp("device_add", driver="vfio-pci", bus=HOTPLUG_BUS,
                        sysfsdev=str(device.path))
            # The last thing that binding a driver does is to make the device's files.
            wait_for(lambda: machine.run(f"ls {DRIVER}/virtio*/energy_uj")[0] == 0)
            mine = accounts.row("mine")
            assert mine.kind == "process" and not accounts.row(f"vm-{machine.pid}")
        assert not accounts.row("mine") and not accounts.zone("mine")
        row = accounts.row(f"vm-{machine.pid}")
        assert row.kind == "vm" and row.energy >= mine.energy
        wait_for(lambda: _device_uj(machine) > row.energy)
        assert _device_uj(machine) <= accounts.zone_uj(f"vm-{machine.pid}")
        machine.check("rmmod virtio_energy")
        check_health(machine)
        _kill(machine)
    device.remove()
