# SPDX-License-Identifier: GPL-2.0
"""Fixtures: the modules loaded, and guests that run.

The tests run in a machine that vm.host() has booted. Guests are shared by the
tests of a file, which leave them as they were.
"""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import accounts
import complaints
import kernels
import vm
from channel import CommandTimeout
from mdev import Mdev

# What check reads of tests: which are done, in lines of [name, problem], and which were tried
# again.
DONE = Path("/out/done")
RERUNS = Path("/out/reruns")
# How long a guest that is well may take to answer.
ANSWER_S = 30
CONFIGFS_ROOT = "/sys/kernel/config"
KHUGEPAGED_SLEEP = Path("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs")
# In the guest: the driver, and the account that its vmenergy makes of it.
DRIVER = "/sys/bus/virtio/drivers/virtio_energy"
GUEST_ENERGY = "/sys/class/powercap/vmenergy:0/energy_uj"
READLOOP = kernels.TOP / "build/programs/readloop"
# A bus from which a device can be unplugged.
HOTPLUG_BUS = "hotplug0"
HOTPLUG_PORT = ["-device", f"pcie-root-port,id={HOTPLUG_BUS},chassis=1,pref64-reserve=2G"]


def pytest_configure(config):
    """What selftest runs on some kernels only."""
    for marker in ("accuracy: how exact the figures are",
                   "alone: how exact they are if nothing else keeps the machine busy",
                   "once: about no kernel in particular",
                   "debug_guest: needs the debug kernel for a guest"):
        config.addinivalue_line("markers", marker)


def _note(path, line):
    """Adds a line that is there even if the kernel dies next."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def _name(nodeid):
    """As pytest's report calls the test."""
    path, _, test = nodeid.partition(".py::")
    return f"{path.replace('/', '.')}.{test}"


# What is wrong with tests that run: with their fixtures, or with themselves.
problems = {}


def pytest_runtest_logreport(report):
    """Tells check which tests were tried again, and how those ended that are done."""
    if report.outcome == "rerun":
        _note(RERUNS, f"{report.nodeid}: {report.longreprtext}")
        problems.pop(report.nodeid, None)
        return
    if not report.passed:
        problems[report.nodeid] = problems.get(report.nodeid, "") + report.longreprtext
    if report.when == "teardown":
        _note(DONE, json.dumps([_name(report.nodeid), problems.pop(report.nodeid, "")]))


def pytest_collection_modifyitems(items):
    """Tests that were done in a boot before, which has died since, are not run again."""
    if DONE.exists():
        done = [json.loads(line)[0] for line in DONE.read_text(encoding="utf-8").splitlines()]
        items[:] = [item for item in items if _name(item.nodeid) not in done]


def guest_kernel():
    """The kernel that guests run: Debian's, even if the host's is the debug kernel."""
    return "6.1" if kernels.current() == "6.1" else "6.12"


def unload(*modules):
    """Removes those of the modules that are loaded, in this order."""
    for module in modules:
        if Path("/sys/module", module).exists():
            subprocess.run(["rmmod", module], check=True)


class NewMessages:
    """What the kernel says from now on."""

    def __init__(self):
        self._mark = str(uuid.uuid4())
        Path("/dev/kmsg").write_text(self._mark)

    def containing(self, text):
        """The lines that contain a text."""
        log = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
        return [line for line in log.partition(self._mark)[2].splitlines() if text in line]


def aware_guest(qemu_args, **options):
    """A guest with a virtio-energy device and its driver."""
    return vm.guest(guest_kernel(), modules=["virtio_energy"],
                    files={"/bin/readloop": READLOOP}, qemu_args=qemu_args, **options)


def check_health(machine):
    """The guest's kernel has nothing to complain about."""
    problem = complaints.find(machine.check("dmesg"))
    assert not problem, problem


def guest_uj(machine):
    """The energy that a guest says it has used."""
    return int(machine.check(f"cat {GUEST_ENERGY}"))


@pytest.fixture(scope="session", autouse=True)
def configfs():
    """The file system in which domains are made."""
    kernels.load("configfs")
    if not os.path.ismount(CONFIGFS_ROOT):
        subprocess.run(["mount", "-t", "configfs", "configfs", CONFIGFS_ROOT], check=True)


@pytest.fixture(scope="session", autouse=True)
def quiet():
    """The kernel does not collect huge pages, which takes a CPU now and then."""
    KHUGEPAGED_SLEEP.write_text("3600000")


@pytest.fixture
def unloaded():
    """The core module is not loaded, and the test may load it."""
    unload("vmenergy_mdev", "vmenergy")
    yield
    unload("vmenergy_mdev", "vmenergy")


@pytest.fixture
def core():
    """The core module is loaded."""
    kernels.load("vmenergy")


class GuestKeeper:
    """A guest for several tests, which is booted anew after one that has broken it."""

    def __init__(self, machine):
        self._make = machine
        self._machine = None

    def get(self):
        """The guest, running."""
        if self._machine and not self._is_well():
            self._machine.kill()
            self._machine = None
        if not self._machine:
            self._machine = self._make().start()
        return self._machine

    def end(self):
        """Ends it, after a look at its log."""
        if self._machine and self._is_well():
            check_health(self._machine)
            self._machine.stop()
        elif self._machine:
            self._machine.kill()

    def _is_well(self):
        try:
            return self._machine.running and self._machine.run("true", ANSWER_S)[0] == 0
        except (vm.MachineError, CommandTimeout):
            return False


@pytest.fixture(scope="session")
def shared():
    """Keeps a guest that knows nothing of energy, with two vCPUs."""
    keeper = GuestKeeper(lambda: vm.guest(guest_kernel(), smp=2))
    yield keeper
    keeper.end()


@pytest.fixture
def shared_guest(shared):
    """That guest."""
    return shared.get()


@pytest.fixture
def guest(core, shared_guest):
    """That guest, while it is a domain."""
    accounts.wait_for(lambda: accounts.row(f"vm-{shared_guest.pid}"), what="the VM is a domain")
    return shared_guest


@pytest.fixture
def make_device():
    """Makes virtio-energy devices, which are removed after the test."""
    kernels.load("vmenergy_mdev")
    devices = []

    def make():
        devices.append(Mdev())
        return devices[-1]

    yield make
    for device in devices:
        device.remove()


@pytest.fixture(scope="module")
def shared_aware():
    """Keeps a guest that reads its account from a device."""
    kernels.load("vmenergy_mdev")
    device = Mdev()
    keeper = GuestKeeper(lambda: aware_guest(device.qemu_args()))
    try:
        yield keeper
        keeper.end()
    finally:
        device.remove()


@pytest.fixture
def aware(shared_aware):
    """That guest."""
    return shared_aware.get()
