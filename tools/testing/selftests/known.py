# SPDX-License-Identifier: GPL-2.0
"""The test PMU: what it is told, the truth it tells, and loads whose rates are known."""

import contextlib
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import kernels
from loads import SPIN
from perf import Event

MODULE = "vmenergy_test_pmu"
COUNTERS = "vmenergy_test"
PACKAGE = "vmenergy_test_pkg"
ENERGY_PKG = 1
UNITS_PER_UJ = 2**32 / 1e6
FILES = Path("/sys/kernel/debug") / MODULE
PARAMETERS = Path("/sys/module") / MODULE / "parameters"


@contextlib.contextmanager
def loaded(*parameters):
    """The module is loaded with these parameters."""
    kernels.load(MODULE, *parameters)
    try:
        yield
    finally:
        subprocess.run(["rmmod", MODULE], check=True)


def tell(name, line):
    """Writes a file of the module: one write, whose error is told."""
    with open(FILES / name, "wb", buffering=0) as file:
        file.write(f"{line}\n".encode())


def set_rate(pid, event, rate):
    """Sets how many counts per microsecond all threads of a process make."""
    tell("rates", f"{pid} {event} {rate}")


def truth():
    """{tgid, "idle", "other", "total": energy in microjoules, exact}."""
    lines = (FILES / "truth").read_text().splitlines()
    return {int(who) if who.isdigit() else who: Decimal(uj) for who, uj in map(str.split, lines)}


def package():
    """The package's energy counter."""
    return Event(PACKAGE, ENERGY_PKG, cpu=0)


def package_uj(event):
    """What it has counted, in microjoules."""
    return event.read() / UNITS_PER_UJ


@contextlib.contextmanager
def spinner(cpu):
    """A process that keeps a CPU busy."""
    with subprocess.Popen(["sh", "-c", SPIN],
                          preexec_fn=lambda: os.sched_setaffinity(0, [cpu])) as process:
        try:
            yield process.pid
        finally:
            process.kill()
