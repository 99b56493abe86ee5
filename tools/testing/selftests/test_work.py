# SPDX-License-Identifier: GPL-2.0
"""The kernel's own work: measured as such, and handed to those it was done for."""

import contextlib
import re
import socket
import subprocess
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

import accounts
import kernels
import known
import vm
from accounts import Cgroup, Config, is_exact, wait_for
from conftest import guest_kernel
from loads import TOLERANCE, VmAccount, standing_still

RUN_S = 5
DISK = "/dev/vda"
TAP = "vmen-test"
HOST_ADDRESS, GUEST_ADDRESS = "10.77.0.1", "10.77.0.2"
VHOST = ["-netdev", f"tap,id=net,ifname={TAP},script=no,downscript=no,vhost=on",
         "-device", "virtio-net-pci,netdev=net"]


@contextlib.contextmanager
def _disk_interrupts_on(cpu):
    """The disk's interrupts come to one CPU."""
    lines = Path("/proc/interrupts").read_text().splitlines()
    numbers = [line.split(":")[0].strip() for line in lines if re.search(r"virtio\d+-req", line)]
    files = [Path(f"/proc/irq/{number}/smp_affinity_list") for number in numbers]
    before = [file.read_text() for file in files]
    # The kernel spreads a disk's queues over CPUs by itself, and lets nobody change that.
    for file in files:
        with contextlib.suppress(OSError):
            file.write_text(str(cpu))
    yield
    for file, text in zip(files, before):
        with contextlib.suppress(OSError):
            file.write_text(text)


@contextlib.contextmanager
def _reader(cgroup, cpu):
    """A process reads from the disk, past the page cache, a block at a time."""
    command = f"while :; do dd if={DISK} of=/dev/null bs=4k count=20000 iflag=direct; done"
    with subprocess.Popen(["taskset", "-c", str(cpu), "sh", "-c", command],
                          stderr=subprocess.DEVNULL, preexec_fn=cgroup.enter) as process:
        try:
            yield
        finally:
            process.kill()


def _increase(now, then):
    return {key: now[key] - then[key] for key in now}


@pytest.mark.accuracy
def test_interrupts_are_not_their_victims(core):
    """What a reader's interrupts take of a busy process's CPU is not charged to that."""
    with _disk_interrupts_on(1), known.spinner(1) as victim, Config("victim", pid=victim), \
         Cgroup("reader") as cgroup, _reader(cgroup, 1):
        looks = []
        for seconds in (RUN_S, 0):
            with standing_still(victim):
                looks.append((accounts.row("victim").cpu, accounts.cpu_time_ns(victim),
                              accounts.interrupted_uj()))
            time.sleep(seconds)
    uj, time_ns, interrupted_uj = (now - then for now, then in zip(looks[1], looks[0]))
    expected_uj = accounts.time_uj(time_ns)
    accounts.assert_charged(uj, expected_uj, interrupted_uj, TOLERANCE)
    assert interrupted_uj > Decimal(0.005) * expected_uj
    assert uj < expected_uj
    assert is_exact()


@pytest.mark.accuracy
def test_work_on_requests_is_for_those_who_order_them(core):
    """A reader is charged its CPU time, and what the kernel does for it elsewhere."""
    with Cgroup("reader") as cgroup, Cgroup("idler") as idle, \
         Config("reader", cgroup=cgroup.name), Config("idler", cgroup=idle.name), \
         subprocess.Popen(["sleep", "60"], preexec_fn=idle.enter) as sleeper, \
         _reader(cgroup, 0):
        wait_for(lambda: accounts.row("reader").own > 10**6)
        start, idler_uj = _look_at_reader(cgroup), accounts.row("idler").own
        time.sleep(RUN_S)
        end = _look_at_reader(cgroup)
        idler_uj = accounts.row("idler").own - idler_uj
        sleeper.kill()
    uj, time_ns, work = end[0] - start[0], end[1] - start[1], _increase(end[2], start[2])
    expected_uj = accounts.time_uj(time_ns)
    print(f"charged {uj} uJ, {expected_uj} uJ by time; the kernel's work: {work}")
    others = work["interrupt"] + work["softirq"]
    assert work["block"] > Decimal(0.01) * expected_uj
    # Some of the block work, and of the other, has interrupted the reader itself.
    slack_uj = Decimal(TOLERANCE) * expected_uj
    assert expected_uj - others - slack_uj <= uj <= expected_uj + work["block"] + slack_uj
    assert idler_uj < Decimal(0.01) * work["block"]
    assert is_exact()


def _look_at_reader(cgroup):
    time_ns, (uj, work) = cgroup.look(lambda: (accounts.row("reader").own, accounts.work()))
    return uj, time_ns, work


def _shell(command):
    return subprocess.run(["sh", "-c", command], check=True, capture_output=True)


class _Flood(threading.Thread):
    """Packets for the guest, as many as go."""

    def __init__(self):
        super().__init__(daemon=True)
        self._going = True

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while self._going:
                with contextlib.suppress(OSError):
                    sender.sendto(bytes(1400), (GUEST_ADDRESS, 9))

    def stop(self):
        """Ends it."""
        self._going = False
        self.join()


def _vhost_threads(pid):
    """Those that are threads of the kernel; on newer kernels they are threads of the VM."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/comm")
            if path.read_text().strip().startswith(f"vhost-{pid}")]


@pytest.mark.accuracy
def test_vhost_works_for_the_vm(core):
    kernels.load("tun")
    kernels.load("vhost_net")
    with vm.guest(guest_kernel(), modules=["virtio_net"], qemu_args=VHOST) as guest:
        _shell(f"busybox ip addr add {HOST_ADDRESS}/24 dev {TAP}; busybox ip link set {TAP} up")
        guest.check(f"ip addr add {GUEST_ADDRESS}/24 dev eth0; ip link set eth0 up")
        helpers = _vhost_threads(guest.pid)
        assert bool(helpers) == (kernels.current() == "6.1")
        wait_for(lambda: accounts.row(f"vm-{guest.pid}"))
        flood = _Flood()
        flood.start()
        try:
            wait_for(lambda: int(guest.check("cat /sys/class/net/eth0/statistics/rx_packets")) > 100)
            account = VmAccount(guest, helpers)
            vhost_ns = sum(map(accounts.cpu_time_ns, helpers))
            time.sleep(RUN_S)
            time_ns = account.check()
            vhost_ns = sum(map(accounts.cpu_time_ns, helpers)) - vhost_ns
        finally:
            flood.stop()
        print(f"vhost's own threads took {vhost_ns} of {time_ns} ns")
        assert not helpers or vhost_ns > 0.05 * time_ns
