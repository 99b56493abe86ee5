# SPDX-License-Identifier: GPL-2.0
"""What the selftests read: energy accounts, and the CPU time they should agree with."""

import os
import time
from decimal import Decimal
from pathlib import Path

TABLE = Path("/proc/vmenergy")
AUDIT = Path("/sys/kernel/debug/vmenergy/audit")
WORK = Path("/sys/kernel/debug/vmenergy/work")
POWERCAP = Path("/sys/class/powercap")
CONFIGFS = Path("/sys/kernel/config/vmenergy")
CGROUPS = Path("/sys/fs/cgroup")
PJ_PER_UJ = 10**6
PARAMETERS = Path("/sys/module/vmenergy/parameters")


class Row:
    """A row of /proc/vmenergy; energies in microjoules, exact."""

    def __init__(self, line):
        self.domain, self.kind, self.parent, *energies = line.split()
        (self.energy, self.own, self.cpu, self.disk,
         self.cpu_base, self.disk_base) = map(Decimal, energies)


def parse(text):
    """The rows of a table, all from one settlement."""
    return [Row(line) for line in text.splitlines()[1:]]


def table():
    """The rows of this machine's table."""
    return parse(TABLE.read_text())


def row(domain):
    """The row of a domain, or None."""
    return next((r for r in table() if r.domain == domain), None)


def row_of_kind(kind):
    """The only row of a kind: machine, ended or unshared."""
    found, = (r for r in table() if r.kind == kind)
    return found


def is_exact(rows=None):
    """What all domains have, and what is not shared out yet, is the machine's."""
    rows = rows or table()
    return sum(row.own for row in rows) == rows[0].energy


def zone(name):
    """The directory of the powercap zone of that name, or None."""
    for path in POWERCAP.glob("vmenergy:*"):
        try:
            if (path / "name").read_text().strip() == name:
                return path
        except (FileNotFoundError, OSError):
            continue  # it went away meanwhile
    return None


def zone_uj(name):
    """The energy that a zone shows."""
    return int((zone(name) / "energy_uj").read_text())


def audit():
    """{cpu: (charged, accounted)} in picojoules."""
    lines = AUDIT.read_text().splitlines()[1:]
    return {int(cpu): (int(charged), int(accounted))
            for cpu, charged, accounted in map(str.split, lines)}


def work():
    """{kind of the kernel's own work: charged, in microjoules}."""
    lines = WORK.read_text().splitlines()[1:]
    return {kind: Decimal(pj) / PJ_PER_UJ for kind, pj in map(str.split, lines)}


def interrupted_uj():
    """What all interrupts have taken."""
    now = work()
    return now["interrupt"] + now["softirq"] + now["block"]


def busy_mw():
    """The model's power of a busy CPU."""
    return int((PARAMETERS / "busy_mw").read_text())


def time_uj(time_ns, power_mw=None):
    """What the model charges for CPU time."""
    return Decimal(time_ns * (power_mw or busy_mw())) / PJ_PER_UJ


def assert_charged(uj, expected_uj, interrupted_uj, tolerance):
    """The charge is as expected, but for what interrupts have taken of it."""
    print(f"charged {uj} uJ, expected {expected_uj} uJ, less some of {interrupted_uj} uJ")
    slack_uj = Decimal(tolerance) * expected_uj
    assert expected_uj > 0
    assert expected_uj - interrupted_uj - slack_uj <= uj <= expected_uj + slack_uj


def cpu_time_ns(pid):
    """CPU time of all threads of a process, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def cgroup_time_ns(path):
    """CPU time of a cgroup."""
    for line in (path / "cpu.stat").read_text().splitlines():
        key, value = line.split()
        if key == "usage_usec":
            return int(value) * 1000
    raise ValueError("no usage_usec")


def set_parameter(name, value):
    """Sets a module parameter: one write, whose error is told."""
    with open(PARAMETERS / name, "wb", buffering=0) as file:
        file.write(f"{value}\n".encode())


def wait_for(condition, timeout=20, what=""):
    """Waits until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still not after {timeout} s: {what or condition}"
        time.sleep(0.02)


class Config:
    """A directory in configfs, ended with the block."""

    def __init__(self, name, **attributes):
        self.path = CONFIGFS / name
        self._attributes = attributes

    def __enter__(self):
        self.path.mkdir()
        try:
            for key, value in self._attributes.items():
                self.write(key, value)
            self.write("live", 1)
        except BaseException:
            self.path.rmdir()
            raise
        return self

    def __exit__(self, *unused):
        self.path.rmdir()

    def write(self, attribute, value):
        """Writes an attribute."""
        (self.path / attribute).write_text(f"{value}\n")

    def read(self, attribute):
        """Reads an attribute."""
        return (self.path / attribute).read_text().strip()


class Cgroup:
    """A cgroup, ended with the block."""

    def __init__(self, name, parent=CGROUPS):
        self.path = Path(parent) / name

    def __enter__(self):
        self.path.mkdir()
        return self

    def __exit__(self, *unused):
        (self.path / "cgroup.kill").write_text("1")
        wait_for(lambda: "populated 0" in (self.path / "cgroup.events").read_text(),
                 what=f"{self.path} is empty")
        self.path.rmdir()

    @property
    def name(self):
        """The path as configfs wants it."""
        return "/" + str(self.path.relative_to(CGROUPS))

    def add(self, pid):
        """Moves a process in."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def look(self, read):
        """Its CPU time in nanoseconds, and what read() says of the same moment.

        Its tasks are frozen for that. One that is said to be is about to stop, and may still
        be charged.
        """
        def moment():
            time_ns, value = cgroup_time_ns(self.path), read()
            return cgroup_time_ns(self.path) == time_ns and (time_ns, value)

        (self.path / "cgroup.freeze").write_text("1")
        wait_for(lambda: "frozen 1" in (self.path / "cgroup.events").read_text())
        time.sleep(0.05)
        look = wait_for(moment, what=f"{self.path} stands still")
        (self.path / "cgroup.freeze").write_text("0")
        return look

    def enter(self):
        """Moves the calling process in: for subprocess's preexec_fn."""
        self.add(os.getpid())
