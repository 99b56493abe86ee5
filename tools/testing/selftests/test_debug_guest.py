# SPDX-License-Identifier: GPL-2.0
"""The guest's driver under the eyes of a debug kernel, from being found to being removed."""

import time

import pytest

import vm
from accounts import wait_for
from conftest import DRIVER, READLOOP, check_health

READS = 1000
# Each takes a tick of the host, and two exits.
REQUESTS = 100
SLOW_S = 240
# kmemleak spares what is younger.
LEAK_AGE_S = 6
KMEMLEAK = "/sys/kernel/debug/kmemleak"


def _read(machine, count=READS):
    path, = machine.check(f"ls -d {DRIVER}/virtio*/energy_uj").split()
    first, last, fell, _ = map(int, machine.check(f"readloop {count} {path}", SLOW_S).split())
    assert 0 < first <= last and fell == 0


def _reload(machine, parameters=""):
    machine.check(f"rmmod virtio_energy && insmod /modules/virtio_energy.ko {parameters}")


@pytest.mark.debug_guest
@pytest.mark.timeout(900)
def test_driver_on_a_debug_kernel(make_device):
    device = make_device()
    with vm.guest("debug", memory="768M", modules=["virtio_energy"],
                  files={"/bin/readloop": READLOOP}, qemu_args=device.qemu_args(),
                  logs="/out/guest", boot_timeout=SLOW_S) as machine:
        _read(machine)
        _reload(machine, "page=0")
        _read(machine, REQUESTS)
        _reload(machine)
        _read(machine)
        # Not by unplugging it: lockdep finds fault with pciehp itself then.
        machine.check(f"echo 1 >$(realpath {DRIVER}/virtio*/..)/remove")
        assert not machine.check(f"ls {DRIVER}").count("virtio")
        machine.check("echo 1 >/sys/bus/pci/rescan")
        wait_for(lambda: machine.run(f"ls {DRIVER}/virtio*/energy_uj")[0] == 0)
        _read(machine)
        machine.check("rmmod virtio_energy vmenergy")
        time.sleep(LEAK_AGE_S)
        # What it finds at first may be in flight.
        for _ in range(2):
            machine.check(f"echo scan >{KMEMLEAK}", SLOW_S)
        check_health(machine)
        assert machine.check(f"cat {KMEMLEAK}") == ""
        assert "debug_locks: 1" in " ".join(machine.check("cat /proc/lockdep_stats").split())
