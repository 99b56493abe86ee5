# SPDX-License-Identifier: GPL-2.0
"""The event model, with counters of software that every kernel has."""

import errno
import subprocess
import time
from pathlib import Path

import pytest

import accounts
import kernels
from accounts import PJ_PER_UJ, Config, wait_for
from conftest import NewMessages
from loads import RUN_S, SPIN, TOLERANCE, standing_still

EVENTS = accounts.PARAMETERS / "events"
# Counts a CPU's nanoseconds; at this weight it is the time model by other means.
CPU_CLOCK = "1:0:10000"
CPU_CLOCK_MW = 10000
NO_SUCH_EVENT = "1:999:5"
ONLINE = Path("/sys/devices/system/cpu/cpu1/online")


@pytest.fixture
def by_events(core):
    """Nothing is charged for time; the test sets the events."""
    busy_mw = accounts.PARAMETERS / "busy_mw"
    before = busy_mw.read_text()
    busy_mw.write_text("0")
    yield
    EVENTS.write_text("\n")
    busy_mw.write_text(before)


@pytest.fixture
def spinner():
    """A process that is always busy."""
    child = subprocess.Popen(["sh", "-c", SPIN])
    yield child.pid
    child.kill()
    child.wait()


def _exact():
    rows = accounts.table()
    return sum(row.own for row in rows) == rows[0].energy


def _look(pid):
    with standing_still(pid):
        return accounts.row("counted").cpu, accounts.cpu_time_ns(pid)


def test_events_are_charged_to_whom_they_happen(by_events, spinner):
    EVENTS.write_text(CPU_CLOCK)
    other = subprocess.Popen(["sh", "-c", f"{SPIN} & {SPIN}"])
    try:
        with Config("counted", pid=spinner):
            start_uj, start_ns = _look(spinner)
            time.sleep(RUN_S)
            uj, ns = (now - then for now, then in zip(_look(spinner), (start_uj, start_ns)))
    finally:
        subprocess.run(["pkill", "-KILL", "-P", str(other.pid)], check=False)
        other.kill()
        other.wait()
    expected_uj = ns * CPU_CLOCK_MW / PJ_PER_UJ
    print(f"charged {uj} uJ, expected {expected_uj} uJ")
    assert abs(float(uj) - expected_uj) <= 2 * TOLERANCE * expected_uj
    assert _exact()


def test_model_changes_without_loss(by_events, spinner):
    """What both models have goes on; what was counted is charged at the old weight."""
    with Config("counted", pid=spinner):
        EVENTS.write_text(CPU_CLOCK)
        start_uj, start_ns = _look(spinner)
        end = time.monotonic() + RUN_S / 2
        while time.monotonic() < end:
            EVENTS.write_text(f"1:2:1,{CPU_CLOCK},1:1:0")
            EVENTS.write_text(f"1:1:0,{CPU_CLOCK}")
            EVENTS.write_text(CPU_CLOCK)
        uj, ns = (now - then for now, then in zip(_look(spinner), (start_uj, start_ns)))
    expected_uj = ns * CPU_CLOCK_MW / PJ_PER_UJ
    print(f"charged {uj} uJ, expected {expected_uj} uJ")
    assert abs(float(uj) - expected_uj) <= 2 * TOLERANCE * expected_uj
    assert _exact()


def test_event_that_is_not_there_is_named(by_events, spinner):
    messages = NewMessages()
    EVENTS.write_text(f"{NO_SUCH_EVENT},{CPU_CLOCK}")
    said = messages.containing("event 1:0x3e7 is not counted on 2 CPUs")
    assert len(said) == 1 and "goes on without it" in said[0]
    with Config("counted", pid=spinner):
        wait_for(lambda: accounts.row("counted").energy > 0)


def test_counters_follow_hotplug(by_events, spinner):
    EVENTS.write_text(CPU_CLOCK)
    try:
        with Config("counted", pid=spinner):
            for _ in range(3):
                for value in "01":
                    ONLINE.write_text(value)
                    before = accounts.row("counted").energy
                    wait_for(lambda before=before: accounts.row("counted").energy > before)
                    assert _exact()
            # Wherever it runs.
            for cpu in "01":
                subprocess.run(["taskset", "-p", "-c", cpu, str(spinner)], check=True,
                               stdout=subprocess.DEVNULL)
                start_uj, start_ns = _look(spinner)
                time.sleep(1)
                uj, ns = (now - then for now, then in zip(_look(spinner), (start_uj, start_ns)))
                assert float(uj) > 0.9 * ns * CPU_CLOCK_MW / PJ_PER_UJ
    finally:
        ONLINE.write_text("1")


@pytest.mark.parametrize("text, expected", [
    ("1:0", errno.EINVAL), ("1:0:1,", errno.EINVAL), ("instructions", errno.EINVAL),
    ("1:0:1:1", errno.EINVAL), ("1:0:-1", errno.EINVAL), ("1:0:4294967296", errno.EINVAL),
    ("1:0:1,1:0:2", errno.EEXIST), (",".join(f"1:{n}:1" for n in range(17)), errno.E2BIG),
])
def test_malformed_events_change_nothing(by_events, text, expected):
    EVENTS.write_text(CPU_CLOCK)
    before = EVENTS.read_text()
    messages = NewMessages()
    with pytest.raises(OSError) as error:
        with open(EVENTS, "wb", buffering=0) as file:
            file.write(text.encode() + b"\n")
    assert error.value.errno == expected
    assert EVENTS.read_text() == before
    said = messages.containing("vmenergy: events=")
    assert len(said) == 1 and "must be up to 16 different events" in said[0]


def test_events_can_be_given_at_load(unloaded):
    kernels.load("vmenergy", f"events={CPU_CLOCK},1:3:0x10")
    assert EVENTS.read_text() == "1:0x0:10000,1:0x3:16\n"
