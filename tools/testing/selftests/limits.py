# SPDX-License-Identifier: GPL-2.0
"""Limits as users set them, and the power that comes of them."""

import contextlib
import subprocess
import time

import accounts
from accounts import Cgroup, Config
from loads import SPIN

LONG_TERM = 0
SHORT_TERM = 1
NO_LIMIT_UW = 10**12
TRIES = 3
# By how much an emulated timer is late now and then
LATE_S = 0.005
# What the model charges for a busy CPU, unless told otherwise.
BUSY_UW = 10 * 10**6


class Zone:
    """A powercap zone, by its name."""

    def __init__(self, name):
        self.path = accounts.wait_for(lambda: accounts.zone(name), what=f"zone {name} is there")

    def read(self, attribute):
        """Reads a number, or a word."""
        text = (self.path / attribute).read_text().strip()
        return int(text) if text.isdigit() else text

    def write(self, attribute, value):
        """One write, whose error is told."""
        with open(self.path / attribute, "wb", buffering=0) as file:
            file.write(f"{value}\n".encode())

    def limit(self, power_uw, constraint=LONG_TERM):
        """Sets a power limit."""
        self.write(f"constraint_{constraint}_power_limit_uw", int(power_uw))

    @contextlib.contextmanager
    def limited(self, power_uw, constraint=LONG_TERM):
        """There is a power limit, until the end of the block."""
        self.limit(power_uw, constraint)
        try:
            yield
        finally:
            self.limit(NO_LIMIT_UW, constraint)

    def events(self):
        """{event: count}."""
        lines = (self.path / "events").read_text().splitlines()
        return {key: int(value) for key, value in map(str.split, lines)}

    def look(self):
        """The time, in seconds, and the energy then, in microjoules."""
        before = time.monotonic()
        energy_uj = self.read("energy_uj")
        return (before + time.monotonic()) / 2, energy_uj

    def watts(self, seconds, window=None):
        """The average power from now on, and of each window within that time."""
        looks = [self.look()]
        start = looks[0][0]
        while looks[-1][0] < start + seconds:
            time.sleep(max(0, min(looks[-1][0] + (window or seconds), start + seconds)
                           - time.monotonic()))
            looks.append(self.look())
        return _watts(looks[0], looks[-1]), [_watts(a, b) for a, b in zip(looks, looks[1:])]


def powers(zones, seconds):
    """The power of each, at the same time."""
    first = [zone.look() for zone in zones]
    time.sleep(seconds)
    return [_watts(before, zone.look()) for before, zone in zip(first, zones)]


def _watts(first, last):
    return (last[1] - first[1]) / (last[0] - first[0]) / 1e6


def is_power(watts, limit_uw, tolerance):
    """Whether the power is less than tolerance away from the limit."""
    return abs(watts * 1e6 / limit_uw - 1) < tolerance


def assert_holds(zone, limit_uw, tolerance, seconds):
    """The limit holds over some seconds, and each second of them.

    When the machine that emulates this one does something else, that looks like CPU time that
    a task has used: now and then, a try may be spoiled. What limits do wrong they do each time.
    Its timers are late at any time, and a task runs on meanwhile.
    """
    second = max(0.03, LATE_S * BUSY_UW / limit_uw)
    for _ in range(TRIES):
        watts, windows = zone.watts(seconds, window=1)
        print(f"{watts:.4f} W at {limit_uw / 1e6} W; each second:",
              *(f"{100 * (one * 1e6 / limit_uw - 1):+.2f} %" for one in windows))
        if is_power(watts, limit_uw, tolerance) and all(is_power(one, limit_uw, second)
                                                        for one in windows):
            return
    assert False, f"not within {tolerance} of the limit"


def assert_power(watts, limit_uw, tolerance):
    """The power is the limit, less than tolerance away from it."""
    limit = limit_uw / 1e6
    told = f"{watts:.4f} W at {limit:g} W: {100 * (watts / limit - 1):+.2f} %"
    print(told)
    assert limit * (1 - tolerance) < watts < limit * (1 + tolerance), told


@contextlib.contextmanager
def process(*command, **options):
    """A process, until the end of the block."""
    with subprocess.Popen(command, **options) as child:
        try:
            yield child
        finally:
            child.kill()


@contextlib.contextmanager
def spinners(*cgroups):
    """An endless loop in each of the cgroups."""
    children = [subprocess.Popen(["sh", "-c", SPIN], preexec_fn=cgroup.enter)
                for cgroup in cgroups]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


@contextlib.contextmanager
def crowd(name, *commands):
    """A cgroup that is a domain, with a process for each shell command."""
    with Cgroup(name) as cgroup, Config(name, cgroup=cgroup.name):
        children = [subprocess.Popen(["sh", "-c", command], preexec_fn=cgroup.enter)
                    for command in commands]
        try:
            yield Zone(name), children
        finally:
            (cgroup.path / "cgroup.kill").write_text("1")
            for child in children:
                child.wait()
