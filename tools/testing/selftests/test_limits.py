# SPDX-License-Identifier: GPL-2.0
"""Power limits and allowances: what is set is what is used, over any time."""

import os
import select
import signal
import subprocess
import time

import pytest

from accounts import CGROUPS, Cgroup, Config, wait_for
from limits import (BUSY_UW, LONG_TERM, NO_LIMIT_UW, SHORT_TERM, Zone, assert_holds,
                    assert_power, crowd, powers, process, spinners)
from loads import SPIN, spinning

LONG_S = 10
SHARES = [0.75, 0.50, 0.25, 0.10]


def _settled(zone):
    """The first wait is over: what follows is neither credit nor debt of before."""
    before = zone.events()["throttled"]
    wait_for(lambda: zone.events()["throttled"] > before + 3, what="tasks wait")


@pytest.mark.alone
@pytest.mark.parametrize("share", SHARES)
def test_vcpu_gets_its_limit(guest, share):
    zone = Zone(f"vm-{guest.pid}")
    with spinning(guest, 1), zone.limited(share * BUSY_UW):
        _settled(zone)
        assert_holds(zone, share * BUSY_UW, 0.01, LONG_S)


@pytest.mark.alone
def test_two_vcpus_get_their_limit(guest):
    zone = Zone(f"vm-{guest.pid}")
    with spinning(guest, 2), zone.limited(0.6 * BUSY_UW):
        _settled(zone)
        assert_holds(zone, 0.6 * BUSY_UW, 0.02, LONG_S)


@pytest.mark.alone
def test_crowd_gets_its_limit(core):
    with crowd("crowd", *[SPIN] * 8) as (zone, _), zone.limited(0.5 * BUSY_UW):
        _settled(zone)
        assert_holds(zone, 0.5 * BUSY_UW, 0.01, LONG_S)


@pytest.mark.alone
def test_fork_bomb_does_not_escape(core):
    bomb = "while :; do /bin/true & /bin/true; done"
    with crowd("bomb", *[bomb] * 4) as (zone, _), zone.limited(0.5 * BUSY_UW):
        _settled(zone)
        assert_power(zone.watts(LONG_S)[0], 0.5 * BUSY_UW, 0.05)


@pytest.mark.alone
def test_changes_take_effect_at_once(core):
    with crowd("changing", SPIN) as (zone, _):
        for share in (0.2, 0.8, 0.4):
            zone.limit(share * BUSY_UW)
            time.sleep(0.2)
            assert_power(zone.watts(2)[0], share * BUSY_UW, 0.05)
        zone.write("enabled", 0)
        assert zone.read("constraint_0_power_limit_uw") == 0.4 * BUSY_UW
        assert_power(zone.watts(1)[0], BUSY_UW, 0.1)
        zone.write("enabled", 1)
        time.sleep(0.2)
        assert_power(zone.watts(2)[0], 0.4 * BUSY_UW, 0.05)
        zone.limit(NO_LIMIT_UW)
        assert_power(zone.watts(1)[0], BUSY_UW, 0.1)


@pytest.mark.alone
def test_limit_of_a_component_is_one_of_its_own(core):
    with crowd("parts", SPIN) as (zone, _):
        cpu, disk = (Zone((zone.path / f"{zone.path.name}:{n}" / "name").read_text().strip())
                     for n in (0, 1))
        assert not list(disk.path.glob("constraint_*"))
        with cpu.limited(0.3 * BUSY_UW):
            assert zone.read("constraint_0_power_limit_uw") == NO_LIMIT_UW
            _settled(zone)
            assert_power(cpu.watts(2)[0], 0.3 * BUSY_UW, 0.05)


@pytest.mark.alone
def test_short_term_limit_holds_beside_the_long_one(core):
    with crowd("peaks", SPIN) as (zone, _), zone.limited(0.8 * BUSY_UW, LONG_TERM), \
         zone.limited(0.3 * BUSY_UW, SHORT_TERM):
        _settled(zone)
        assert_power(zone.watts(2)[0], 0.3 * BUSY_UW, 0.05)


@pytest.mark.alone
def test_what_is_saved_is_a_window_deep(core):
    with crowd("saving", SPIN) as (zone, children), zone.limited(0.2 * BUSY_UW):
        zone.write("constraint_0_time_window_us", 2 * 10**6)
        os.kill(children[0].pid, signal.SIGSTOP)
        time.sleep(4)
        start_uj = zone.read("energy_uj")
        os.kill(children[0].pid, signal.SIGCONT)
        # Over 3 s, the limit is for 3 s, and for the 2 s that were saved.
        watts = zone.watts(3)[0]
        assert watts > 0.2 * BUSY_UW / 1e6
        assert_power((zone.read("energy_uj") - start_uj) / 5e6, 0.2 * BUSY_UW, 0.05)


@pytest.mark.alone
def test_average_power_is_shown(core):
    with crowd("shown", SPIN) as (zone, children), zone.limited(0.5 * BUSY_UW):
        _settled(zone)
        time.sleep(1.5)
        assert_power(zone.read("power_uw") / 1e6, 0.5 * BUSY_UW, 0.1)
        os.kill(children[0].pid, signal.SIGSTOP)
        wait_for(lambda: zone.read("power_uw") == 0)


@pytest.mark.once
def test_values_out_of_range_are_taken_as_the_nearest(core):
    with crowd("clamped") as (zone, _):
        for attribute, low, high in (("power_limit_uw", "min_power_uw", "max_power_uw"),
                                     ("time_window_us", "min_time_window_us",
                                      "max_time_window_us")):
            for constraint in (LONG_TERM, SHORT_TERM):
                name = f"constraint_{constraint}_{attribute}"
                zone.write(name, 0)
                assert zone.read(name) == zone.read(f"constraint_{constraint}_{low}") > 0
                zone.write(name, 2**63)
                assert zone.read(name) == zone.read(f"constraint_{constraint}_{high}")
        assert [zone.read(f"constraint_{n}_name") for n in (0, 1)] == ["long_term", "short_term"]


@pytest.mark.once
@pytest.mark.parametrize("attribute, value", [
    ("weight", 0), ("weight", 10001), ("weight", "many"), ("weight", -1),
    ("budget_uj", -1), ("budget_uj", 2**63), ("budget_uj", "some"), ("enabled", "perhaps")])
def test_bad_values_change_nothing(core, attribute, value):
    with crowd("refusing") as (zone, _):
        before = zone.read(attribute)
        with pytest.raises(OSError):
            zone.write(attribute, value)
        assert zone.read(attribute) == before


def test_allowance_is_all_there_is(core):
    with crowd("pocket", SPIN, SPIN) as (zone, _):
        assert zone.read("budget_uj") == "max"
        start_uj = zone.read("energy_uj")
        zone.write("budget_uj", 5 * 10**6)
        wait_for(lambda: zone.read("budget_uj") == 0)
        time.sleep(0.5)
        used_uj = zone.read("energy_uj") - start_uj
        # Some was used before it was set, and a tick of two CPUs before they stop.
        assert 4.99 * 10**6 < used_uj < 7 * 10**6
        time.sleep(0.5)
        # Of the 10 J that they would have used; an emulated tick may be long.
        assert zone.read("energy_uj") - start_uj < used_uj + 0.5 * 10**6
        zone.write("budget_uj", 10**6)
        wait_for(lambda: zone.read("energy_uj") - start_uj > used_uj + 0.9 * 10**6)
        wait_for(lambda: zone.read("budget_uj") == 0)
        zone.write("budget_uj", "max")
        wait_for(lambda: zone.watts(0.5)[0] > 0.8 * 2 * BUSY_UW / 1e6)


def test_events_can_be_waited_for(core):
    with crowd("watched", SPIN) as (zone, _):
        with open(zone.path / "events", "rb", buffering=0) as file:
            poll = select.poll()
            poll.register(file, select.POLLPRI)
            file.read()
            assert not poll.poll(300)
            with zone.limited(0.2 * BUSY_UW):
                assert poll.poll(5000)
                wait_for(lambda: zone.events()["throttled_usec"])
        events = zone.events()
        assert 0 < events["exhausted"] <= events["throttled"]


@pytest.mark.alone
def test_vm_and_process_share_the_limit_above(guest):
    name = f"vm-{guest.pid}"
    with Cgroup("slice") as outer, Config("slice", cgroup=outer.name), \
         Cgroup("vm", outer.path) as inner, Cgroup("beside", outer.path) as beside, \
         spinning(guest, 1), spinners(beside):
        Zone(name).limit(0.2 * BUSY_UW)
        inner.add(guest.pid)
        zone = Zone("slice")
        # It is in the tree below the slice now, and has kept its limit.
        wait_for(lambda: Zone(name).path.resolve().parent == zone.path.resolve())
        vm_zone = Zone(name)
        with zone.limited(0.5 * BUSY_UW):
            time.sleep(1)
            assert_power(zone.watts(3)[0], 0.5 * BUSY_UW, 0.03)
            assert_power(vm_zone.watts(3)[0], 0.2 * BUSY_UW, 0.03)
        time.sleep(0.5)
        assert zone.watts(1)[0] > 0.9 * BUSY_UW / 1e6
        assert_power(vm_zone.watts(3)[0], 0.2 * BUSY_UW, 0.03)
        vm_zone.limit(NO_LIMIT_UW)


@pytest.mark.alone
def test_waits_are_told(core):
    with Cgroup("outer") as outer, Config("outer", cgroup=outer.name), \
         Cgroup("waiting", outer.path) as inner, Config("waiting", cgroup=inner.name), \
         spinners(inner):
        zones = [Zone("waiting"), Zone("outer")]
        with zones[0].limited(0.2 * BUSY_UW):
            _settled(zones[0])
            start, before = time.monotonic(), [zone.events() for zone in zones]
            time.sleep(3)
            seconds, after = time.monotonic() - start, [zone.events() for zone in zones]
        for first, last in zip(before, after):
            waited_s = (last["throttled_usec"] - first["throttled_usec"]) / 1e6
            assert 0.9 < waited_s / (0.8 * seconds) < 1.1
        assert after[0]["exhausted"] > 0 == after[1]["exhausted"]


@pytest.mark.alone
def test_limits_hold_at_three_levels(core):
    machine, inside_uw = Zone("machine"), 0.15 * BUSY_UW
    with crowd("apart", SPIN) as (apart, _), \
         Cgroup("slice") as outer, Config("slice", cgroup=outer.name), \
         Cgroup("inside", outer.path) as inner, Config("inside", cgroup=inner.name), \
         spinners(inner, outer):
        zone, inside = Zone("slice"), Zone("inside")
        inside.limit(inside_uw)
        with zone.limited(0.6 * BUSY_UW):
            # What the machine's other tasks take leaves enough for the limit inside, which is
            # below a half of a half.
            with machine.limited(BUSY_UW):
                time.sleep(1)
                all_w, zone_w, inside_w, apart_w = powers([machine, zone, inside, apart], 5)
                assert_power(all_w, BUSY_UW, 0.03)
                assert_power(zone_w, 1e6 * apart_w, 0.05)
                assert_power(inside_w, inside_uw, 0.05)
            # What it was not allowed to use until now is saved.
            time.sleep(2)
            zone_w, inside_w = powers([zone, inside], 3)
            assert_power(zone_w, 0.6 * BUSY_UW, 0.03)
            assert_power(inside_w, inside_uw, 0.05)
        time.sleep(0.5)
        assert_power(inside.watts(3)[0], inside_uw, 0.05)


@pytest.mark.alone
def test_long_system_calls_are_paid_for(core):
    reader = """
buffer = bytearray(200 << 20)
with open("/dev/urandom", "rb", buffering=0) as file:
    print("ready", flush=True)
    while True:
        file.readinto(buffer)"""
    with crowd("reading") as (zone, _), \
         process("python3", "-c", reader, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        zone.limit(0.05 * BUSY_UW)
        (CGROUPS / "reading/cgroup.procs").write_text(str(child.pid))
        # What is more than a second of a CPU takes more than 20 s to pay.
        wait_for(lambda: zone.read("energy_uj") > BUSY_UW, what="it has run for a second")
        before = zone.events()["throttled"]
        wait_for(lambda: zone.events()["throttled"] > before, what="it waits")
        print(f"used {zone.read('energy_uj')} uJ")
        assert zone.watts(15)[0] < 0.001 * BUSY_UW / 1e6


@pytest.mark.alone
def test_limits_of_the_domains_above_hold_too(core):
    with Cgroup("top") as top, Config("top", cgroup=top.name), \
         Cgroup("inner", top.path) as inner, Config("inner", cgroup=inner.name), \
         Cgroup("beside", top.path) as beside, spinners(inner, beside):
        zone, inner_zone = Zone("top"), Zone("inner")
        with zone.limited(0.8 * BUSY_UW), inner_zone.limited(0.2 * BUSY_UW):
            _settled(inner_zone)
            time.sleep(0.5)
            assert_power(zone.watts(3)[0], 0.8 * BUSY_UW, 0.03)
            assert_power(inner_zone.watts(3)[0], 0.2 * BUSY_UW, 0.03)
            zone.limit(NO_LIMIT_UW)
            time.sleep(0.5)
            assert_power(inner_zone.watts(3)[0], 0.2 * BUSY_UW, 0.03)
            assert zone.watts(1)[0] > 0.9 * 1.2 * BUSY_UW / 1e6
