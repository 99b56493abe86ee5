# SPDX-License-Identifier: GPL-2.0
"""The test PMU itself: that its counters, its energy and its truth are what it is told."""

import contextlib
import errno
import subprocess
import time
from pathlib import Path

import pytest

import accounts
import kernels
import known
from known import COUNTERS, PACKAGE, loaded, package, package_uj, set_rate, spinner, tell, truth
from loads import standing_still
from perf import Event, attribute

pytestmark = pytest.mark.once

RUN_S = 2
# The scheduler's own time is nobody's CPU time, and long where it is emulated.
TOLERANCE = 0.05
# The counter lags behind by what other CPUs have used in 2 ms.
LAG = 0.01
NONSENSE = [
    ("rates", ""), ("rates", "1"), ("rates", "1 0"), ("rates", "1 0 5 5"), ("rates", "0 0 5"),
    ("rates", "-1 0 5"), ("rates", "1 8 5"), ("rates", "1 0 10001"), ("rates", "1 0 -5"),
    ("rates", "1 0 99999999999999999999"), ("rates", "x 0 5"), ("rates", "1 0 5\n1 1 5"),
    ("rates", "clear all"), ("rates", "1 0 5" + 100 * " "), ("rates", "9999999 0 5"),
    ("energy_pj", ""), ("energy_pj", "8 1"), ("energy_pj", "0 100001"), ("energy_pj", "0"),
    ("energy_pj", "0 1 2"), ("idle_mw", "1000001"), ("busy_mw", "-1"), ("busy_mw", "x"),
    ("nonlinear_ppm", "1000001"), ("noise_uw", "1000000001"), ("stop", "2"),
]


@pytest.fixture(name="pmu")
def _pmu():
    with loaded():
        yield


@pytest.fixture(name="pair")
def _pair(pmu):
    with spinner(0) as first, spinner(1) as second:
        yield first, second


@contextlib.contextmanager
def _cpu_offline(cpu):
    switch = Path(f"/sys/devices/system/cpu/cpu{cpu}/online")
    switch.write_text("0")
    try:
        yield
    finally:
        switch.write_text("1")


def _used(pid, look):
    """What look() and the CPU time of a process grow by while it runs."""
    with standing_still(pid):
        before, before_ns = look(), accounts.cpu_time_ns(pid)
    time.sleep(RUN_S)
    with standing_still(pid):
        return look() - before, accounts.cpu_time_ns(pid) - before_ns


def _about(value, expected, tolerance=TOLERANCE):
    print(f"{value}, expected {expected}")
    return abs(float(value) - float(expected)) <= tolerance * float(expected)


def _refused(expected, function, *arguments, **options):
    print("refused:", *arguments)
    with pytest.raises(OSError) as error:
        function(*arguments, **options)
    assert error.value.errno == expected


@pytest.mark.parametrize("cpu", [0, 1])
@pytest.mark.parametrize("config, rate", [(0, 1), (7, 3000)])
def test_counts_are_rate_times_cpu_time(pair, cpu, config, rate):
    set_rate(pair[cpu], config, rate)
    set_rate(pair[1 - cpu], config, 10000)
    with Event(COUNTERS, config, cpu) as event:
        counts, time_ns = _used(pair[cpu], event.read)
    assert time_ns > 0.5e9 * RUN_S
    assert _about(counts, rate * time_ns / 1000)


def test_counts_nothing_else(pair):
    set_rate(pair[0], 1, 10000)
    with Event(COUNTERS, 2, 0) as other_event, Event(COUNTERS, 1, 1) as other_cpu:
        time.sleep(0.1)
        assert other_event.read() == other_cpu.read() == 0


def test_default_rate_is_that_of_any_task():
    with loaded("default_rate=50"), spinner(0), Event(COUNTERS, 5, 0) as event:
        start, before = time.monotonic(), event.read()
        time.sleep(RUN_S)
        counts, elapsed = event.read() - before, time.monotonic() - start
        assert 0.9 * 50e6 * elapsed < counts < (1 + LAG) * 50e6 * elapsed


def test_energy_is_counts_times_energy_of_each(pair):
    """10 W by one event, 5 W by another, 3 W for being busy."""
    tell("energy_pj", "0 10000")
    tell("energy_pj", "3 500")
    tell("busy_mw", 3000)
    set_rate(pair[0], 0, 1000)
    set_rate(pair[0], 3, 10000)
    uj, time_ns = _used(pair[0], lambda: truth()[pair[0]])
    assert _about(uj, 18 * time_ns / 1000)


def test_threefold_rate_is_threefold_energy(pair):
    tell("energy_pj", "0 1000")
    with standing_still(pair[0]), standing_still(pair[1]):
        unpaid = [accounts.cpu_time_ns(pid) for pid in pair]
        for pid, rate in zip(pair, (1000, 3000)):
            set_rate(pid, 0, rate)
    time.sleep(RUN_S)
    with standing_still(pair[0]), standing_still(pair[1]):
        power = [float(truth()[pid]) / (accounts.cpu_time_ns(pid) - unpaid_ns)
                 for pid, unpaid_ns in zip(pair, unpaid)]
    assert _about(power[1] / power[0], 3)


def test_parts_sum_up_to_the_total(pair):
    tell("idle_mw", 3333)
    tell("busy_mw", 7777)
    tell("energy_pj", "1 77777")
    set_rate(pair[0], 1, 77)
    for _ in range(20):
        parts = truth()
        assert parts.pop("total") == sum(parts.values())
        time.sleep(0.02)
    assert all(parts[who] for who in (pair[0], "idle", "other"))


def test_counter_shows_the_total(pair):
    tell("busy_mw", 10000)
    with package() as event:
        tell("idle_mw", 5000)
        start = truth()["total"], package_uj(event), truth()["total"]
        time.sleep(RUN_S)
        end = truth()["total"], package_uj(event), truth()["total"]
    uj, least, most = end[1] - start[1], float(end[0] - start[2]), float(end[2] - start[0])
    print(f"{uj}, expected {least} to {most}")
    assert least > 20e6 * RUN_S
    assert (1 - LAG) * least < uj < (1 + LAG) * most


def test_idle_power_is_used_all_the_time(pmu):
    tell("idle_mw", 5000)
    longest, before, shortest = time.monotonic(), truth()["idle"], time.monotonic()
    time.sleep(RUN_S)
    shortest = time.monotonic() - shortest
    uj = float(truth()["idle"] - before)
    longest = time.monotonic() - longest
    print(f"{uj} in {shortest} to {longest} s")
    assert (1 - LAG) * shortest < uj / 5e6 < (1 + LAG) * longest


def test_two_busy_cpus_can_use_less(pair):
    tell("busy_mw", 10000)
    tell("nonlinear_ppm", 250000)
    set_rate(pair[0], 0, 0)
    uj, time_ns = _used(pair[0], lambda: truth()[pair[0]])
    assert _about(uj, 7.5 * time_ns / 1000)


def test_noise_is_in_the_counter_only(pmu):
    tell("idle_mw", 1000)
    tell("noise_uw", 1000000)
    with package() as event:
        before = float(truth()["total"]) - package_uj(event)
        time.sleep(RUN_S)
        noise = package_uj(event) - float(truth()["total"]) + before
    assert 0.3e6 * RUN_S < noise < 0.7e6 * RUN_S


def test_counter_can_stop(pmu):
    tell("idle_mw", 10000)
    with package() as event:
        tell("stop", 1)
        stopped, before = event.read(), truth()["total"]
        time.sleep(0.2)
        assert event.read() == stopped
        assert truth()["total"] - before > 1.5e6
        tell("stop", 0)
        time.sleep(0.2)
        uj = package_uj(event) - stopped / known.UNITS_PER_UJ
        assert 1.5e6 < uj < float(truth()["total"] - before) - 1.5e6


def test_counter_can_jump(pmu):
    for uj in (1, 5000000, -5000000, 10**11, -10**11):
        with package() as event:
            tell("jump_uj", uj)
            assert event.read() == int(uj * 2**26 / 5**6)
    assert truth()["total"] == 0


def test_wrap_is_seen_by_who_looks_often_enough():
    """A counter of 32 bits is full after 1 J."""
    with loaded("wrap_bits=32"), package() as event:
        tell("idle_mw", 100)
        for _ in range(20):
            tell("jump_uj", 300000)
            event.read()
            time.sleep(0.01)
        tell("idle_mw", 0)
        assert truth()["total"] > 0.02e6
        assert _about(package_uj(event), 6000000 + truth()["total"], 1e-6)


def test_wrap_is_missed_by_who_does_not():
    with loaded("wrap_bits=32"), package() as event:
        tell("idle_mw", 10000)
        time.sleep(2)
        assert abs(package_uj(event)) <= 0.5e6
        tell("stop", 1)
        event.read()
        tell("jump_uj", 1250000)
        before = event.read()
        tell("jump_uj", 1250000)
        assert event.read() - before == 2**30


def test_offline_cpu_keeps_its_sums(pair):
    tell("busy_mw", 1000)
    set_rate(pair[1], 0, 1000)
    time.sleep(0.2)
    with standing_still(pair[1]):
        before = truth()[pair[1]]
        assert before > 0.1e6
        with _cpu_offline(1):
            assert truth()[pair[1]] == before
            _refused(errno.ENODEV, Event, COUNTERS, 0, 1)
            tell("rates", "clear")
            assert truth()["other"] > before


def test_cpu_counts_again_when_it_returns(pmu):
    with _cpu_offline(1):
        pass
    with spinner(1) as pid, Event(COUNTERS, 0, 1) as event:
        set_rate(pid, 0, 1000)
        counts, time_ns = _used(pid, event.read)
    assert _about(counts, time_ns)


def test_package_moves_to_another_cpu():
    """What is used while perf moves the event is lost to it, as with RAPL."""
    with loaded("first_package_cpu=1"):
        tell("idle_mw", 10000)
        assert attribute(PACKAGE, "cpumask") == "1"
        with package() as event:
            time.sleep(0.2)
            before_uj = package_uj(event)
            with _cpu_offline(1):
                assert attribute(PACKAGE, "cpumask") == "0"
                assert package_uj(event) >= before_uj > 1.9e6
                tell("idle_mw", 0)
                before, before_uj = truth()["total"], package_uj(event)
                tell("idle_mw", 10000)
                time.sleep(RUN_S)
                tell("idle_mw", 0)
                total = truth()["total"] - before
                assert total > 9e6 * RUN_S
                assert _about(package_uj(event) - before_uj, total, 1e-6)
        assert attribute(PACKAGE, "cpumask") == "0"


def test_hotplug_under_load(pair):
    with package() as energy:
        tell("busy_mw", 1000)
        for _ in range(5):
            with Event(COUNTERS, 0, 1), _cpu_offline(1):
                truth()
            energy.read()
    parts = truth()
    assert parts.pop("total") == sum(parts.values())


def test_nonsense_is_refused(pmu):
    set_rate(1, 0, 7)
    for name, line in NONSENSE:
        before = (known.FILES / name).read_text()
        _refused(errno.EINVAL, tell, name, line)
        assert (known.FILES / name).read_text() == before


def test_nonsensical_jumps_are_refused(pmu):
    with package() as event:
        for uj in ("100000000001", "-100000000001", "x"):
            _refused(errno.EINVAL, tell, "jump_uj", uj)
        assert event.read() == 0


@pytest.mark.parametrize("parameter", [
    "nr_counters=9", "nr_counters=-1", "default_rate=10001", "wrap_bits=7", "wrap_bits=65",
])
def test_bad_parameters_are_refused(parameter):
    with pytest.raises(subprocess.CalledProcessError):
        kernels.load(known.MODULE, parameter)
    assert not known.PARAMETERS.exists()


def test_table_can_be_full_and_cleared(pmu):
    for tgid in range(1000, 1064):
        set_rate(tgid, tgid % 8, tgid)
    _refused(errno.ENOSPC, set_rate, 1064, 0, 1)
    set_rate(1063, 0, 5)
    shown = (known.FILES / "rates").read_text().splitlines()
    assert len(shown) == 64 * 8
    assert {"1001 1 1001", "1063 0 5", "1063 7 1063", "1000 1 0"} <= set(shown)
    assert len(truth()) == 64 + 3
    tell("rates", "clear")
    assert (known.FILES / "rates").read_text() == ""
    assert set(truth()) == {"idle", "other", "total"}


def test_too_few_counters(pmu):
    parameter = known.PARAMETERS / "nr_counters"
    parameter.write_text("2")
    with contextlib.ExitStack() as events:
        def event(config, cpu=0):
            return events.enter_context(Event(COUNTERS, config, cpu, pinned=True))
        first, second, third = event(0), event(1), event(2)
        assert first.read() is not None and second.read() is not None
        assert third.read() is None
        assert event(1).read() is not None
        assert event(2, cpu=1).read() is not None
        first.read()
    parameter.write_text("0")
    _refused(errno.ENOENT, Event, COUNTERS, 0, 0)


def test_what_the_pmus_cannot_do_is_refused(pmu):
    for name, config in ((COUNTERS, 0), (PACKAGE, known.ENERGY_PKG)):
        _refused(errno.EINVAL, Event, name, config, 0, pid=0)
        _refused(errno.EINVAL, Event, name, config, 0, sample_period=1000)


def test_unknown_events_are_refused(pmu):
    for name, config in ((COUNTERS, 8), (COUNTERS, 2**32), (PACKAGE, 0), (PACKAGE, 2),
                         (PACKAGE, 2**63)):
        _refused(errno.EINVAL, Event, name, config, 0)


def test_sysfs_tells_what_perf_needs(pmu):
    assert attribute(PACKAGE, "events/energy-pkg") == "event=0x01"
    assert float(attribute(PACKAGE, "events/energy-pkg.scale")) == 2**-32
    assert attribute(PACKAGE, "events/energy-pkg.unit") == "Joules"
    assert attribute(PACKAGE, "format/event") == "config:0-7"
    assert attribute(PACKAGE, "cpumask") == "0"
    assert attribute(COUNTERS, "format/event") == "config:0-7"


def test_module_stays_while_it_is_used(pmu):
    for name, config in ((COUNTERS, 0), (PACKAGE, known.ENERGY_PKG)):
        with Event(name, config, 0):
            assert subprocess.run(["rmmod", known.MODULE], check=False).returncode
            assert known.PARAMETERS.exists()


def test_comes_and_goes_under_load():
    storm = "while :; do /bin/true; done"
    with subprocess.Popen(["sh", "-c", storm]) as forks, spinner(1):
        for _ in range(5):
            with loaded("default_rate=1"):
                set_rate(forks.pid, 0, 1000)
                truth()
        forks.kill()
