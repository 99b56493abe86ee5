# SPDX-License-Identifier: GPL-2.0
"""The event model, with counters that every kernel has and with those of the test PMU."""

import errno
import subprocess
import time
from pathlib import Path

import pytest

import accounts
import kernels
import known
from accounts import PJ_PER_UJ, Config, is_exact, wait_for
from conftest import NewMessages
from loads import RUN_S, SPIN, TOLERANCE, standing_still

EVENTS = accounts.PARAMETERS / "events"
# Counts a CPU's nanoseconds; at this weight it is the time model by other means.
CPU_CLOCK = "1:0:10000"
CPU_CLOCK_MW = 10000
# Two kinds of events, what each costs, and how often they happen per microsecond.
WEIGHTS_PJ = [700, 2500]
RATES = {"light": [1000, 120], "heavy": [3000, 360]}
TRUTH_TOLERANCE = 0.02
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


def _look(pid):
    with standing_still(pid):
        return accounts.row("counted").cpu, accounts.cpu_time_ns(pid), accounts.interrupted_uj()


@pytest.mark.accuracy
def test_events_are_charged_to_whom_they_happen(by_events, spinner):
    EVENTS.write_text(CPU_CLOCK)
    other = subprocess.Popen(["sh", "-c", f"{SPIN} & {SPIN}"])
    try:
        with Config("counted", pid=spinner):
            start = _look(spinner)
            time.sleep(RUN_S)
            uj, ns, interrupted_uj = (now - then for now, then in zip(_look(spinner), start))
    finally:
        subprocess.run(["pkill", "-KILL", "-P", str(other.pid)], check=False)
        other.kill()
        other.wait()
    accounts.assert_charged(uj, accounts.time_uj(ns, CPU_CLOCK_MW), interrupted_uj, 2 * TOLERANCE)
    assert is_exact()


def test_model_changes_without_loss(by_events, spinner):
    """What both models have goes on; what was counted is charged at the old weight."""
    with Config("counted", pid=spinner):
        EVENTS.write_text(CPU_CLOCK)
        start = _look(spinner)
        end = time.monotonic() + RUN_S / 2
        while time.monotonic() < end:
            EVENTS.write_text(f"1:2:1,{CPU_CLOCK},1:1:0")
            EVENTS.write_text(f"1:1:0,{CPU_CLOCK}")
            EVENTS.write_text(CPU_CLOCK)
        uj, ns, interrupted_uj = (now - then for now, then in zip(_look(spinner), start))
    expected_uj = float(accounts.time_uj(ns, CPU_CLOCK_MW))
    least_uj = (1 - 2 * TOLERANCE) * expected_uj - float(interrupted_uj)
    print(f"charged {uj} uJ, expected {expected_uj} uJ, less some of {interrupted_uj} uJ")
    # What is too much is what an emulated CPU needs for an interrupt of each change.
    assert least_uj <= uj <= (1 + 10 * TOLERANCE) * expected_uj
    assert is_exact()


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
                    assert is_exact()
            # Wherever it runs.
            for cpu in "01":
                subprocess.run(["taskset", "-p", "-c", cpu, str(spinner)], check=True,
                               stdout=subprocess.DEVNULL)
                start = _look(spinner)
                time.sleep(1)
                uj, ns, _ = (now - then for now, then in zip(_look(spinner), start))
                assert float(uj) > 0.9 * ns * CPU_CLOCK_MW / PJ_PER_UJ
    finally:
        ONLINE.write_text("1")


@pytest.mark.once
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


def _pmu_type():
    return Path("/sys/bus/event_source/devices", known.COUNTERS, "type").read_text().strip()


@pytest.fixture
def known_events(by_events):
    """The test PMU's events cost what the model says."""
    with known.loaded():
        for event, weight_pj in enumerate(WEIGHTS_PJ):
            known.tell("energy_pj", f"{event} {weight_pj}")
        EVENTS.write_text(",".join(f"{_pmu_type()}:{event}:{weight_pj}"
                                   for event, weight_pj in enumerate(WEIGHTS_PJ)))
        yield
        EVENTS.write_text("\n")


@pytest.mark.accuracy
@pytest.mark.once
@pytest.mark.parametrize("cpus", [(0, 1), (1, 1)], ids=["apart", "together"])
def test_work_that_costs_more_is_charged_more(known_events, cpus):
    """Shares of CPU time would be off by half."""
    with known.spinner(cpus[0]) as light, known.spinner(cpus[1]) as heavy, \
         Config("light", pid=light), Config("heavy", pid=heavy):
        pids = {"light": light, "heavy": heavy}
        for name, rates in RATES.items():
            for event, rate in enumerate(rates):
                known.set_rate(pids[name], event, rate)
        # What both have used before their rates were set is nothing to the model, either.
        start = {name: _look_at(name, pid) for name, pid in pids.items()}
        time.sleep(RUN_S)
        end = {name: _look_at(name, pid) for name, pid in pids.items()}
    power = {}
    for name in pids:
        charged_uj, true_uj, ns = (now - then for now, then in zip(end[name], start[name]))
        print(f"{name}: charged {charged_uj} uJ, in truth {true_uj} uJ")
        assert abs(float(charged_uj - true_uj)) <= TRUTH_TOLERANCE * float(true_uj)
        power[name] = float(charged_uj) / ns
    assert 2.7 < power["heavy"] / power["light"] < 3.3
    assert is_exact()


def _look_at(name, pid):
    return accounts.row(name).cpu, known.truth()[pid], accounts.cpu_time_ns(pid)


def _is_asleep(pid):
    return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text()


def test_sleeper_is_charged_next_to_nothing(known_events):
    with known.spinner(1) as busy, Config("busy", pid=busy), \
         subprocess.Popen(["sleep", "60"]) as sleeper, Config("sleeper", pid=sleeper.pid):
        for pid in (busy, sleeper.pid):
            known.set_rate(pid, 0, 1000)
        # Before, it has been busy starting.
        wait_for(lambda: _is_asleep(sleeper.pid))
        time.sleep(0.1)
        start = {name: accounts.row(name).cpu for name in ("busy", "sleeper")}
        wait_for(lambda: accounts.row("busy").cpu > start["busy"] + 2 * 10**6)
        assert accounts.row("sleeper").cpu - start["sleeper"] < 0.01 * 2 * 10**6
        sleeper.kill()


def test_events_that_do_not_fit_are_left_out(by_events):
    with known.loaded("nr_counters=1"):
        messages = NewMessages()
        EVENTS.write_text(f"{_pmu_type()}:0:700,{_pmu_type()}:1:2500")
        said = messages.containing("is not counted on 2 CPUs")
        assert len(said) == 1 and f"event {_pmu_type()}:0x1 " in said[0]
        with known.spinner(1) as pid, Config("fits", pid=pid):
            for event in (0, 1):
                known.set_rate(pid, event, 1000)
            wait_for(lambda: accounts.row("fits").cpu > 10**6)
        EVENTS.write_text("\n")


def test_pmu_stays_while_the_model_uses_it(known_events):
    refused = subprocess.run(["rmmod", known.MODULE], capture_output=True, text=True, check=False)
    assert refused.returncode and "in use" in refused.stderr
