# SPDX-License-Identifier: GPL-2.0
"""Policies: a limit is shared among the domains below it."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

import accounts
import kernels
import vm
from accounts import Cgroup, Config, set_parameter
from conftest import guest_kernel, unload
from limits import BUSY_UW, TRIES, Zone, assert_power, crowd, is_power, powers, spinners
from loads import SPIN, spinning

SAMPLE = "vmenergy_policy_priority"
LIMIT_UW = 0.8 * BUSY_UW
SETTLE_S = 1
RUN_S = 5
SOON_S = 0.3


@contextlib.contextmanager
def policy(name):
    """The policy is in use."""
    before = (accounts.PARAMETERS / "policy").read_text().strip()
    set_parameter("policy", name)
    try:
        yield
    finally:
        set_parameter("policy", before)


@contextlib.contextmanager
def _two(weights):
    """Two busy processes that are domains, of these weights; yields their zones and pids."""
    with crowd("light", SPIN) as (light, [one]), crowd("heavy", SPIN) as (heavy, [other]):
        for zone, weight in zip((light, heavy), weights):
            zone.write("weight", weight)
        yield light, heavy, one.pid, other.pid


def _assert_ratio(light, heavy, tolerance):
    """One gets three times as much as the other; tried as assert_holds() does, and for that."""
    for _ in range(TRIES):
        light_w, heavy_w = powers([light, heavy], RUN_S)
        print(f"{heavy_w:.4f} W, {heavy_w / light_w:.3f} times as much as the other")
        if is_power(heavy_w, 3e6 * light_w, tolerance):
            return
    assert False, "not shared by weight"


@pytest.mark.alone
def test_two_vms_share_by_weight(guest):
    machine = Zone("machine")
    with vm.guest(guest_kernel()) as second:
        light, heavy = (Zone(f"vm-{pid}") for pid in (guest.pid, second.pid))
        light.write("weight", 100)
        heavy.write("weight", 300)
        # Less than a vCPU can use
        with spinning(guest, 1), machine.limited(LIMIT_UW):
            with spinning(second, 1):
                time.sleep(SETTLE_S)
                _assert_ratio(light, heavy, 0.02)
                assert_power(machine.watts(RUN_S)[0], LIMIT_UW, 0.03)
            time.sleep(SOON_S)
            assert_power(machine.watts(RUN_S)[0], LIMIT_UW, 0.03)


@pytest.mark.alone
def test_what_one_leaves_the_other_gets_soon(core):
    machine = Zone("machine")
    with _two((100, 300)) as (light, heavy, _, pid), machine.limited(LIMIT_UW):
        for _ in range(2):
            time.sleep(SETTLE_S)
            _assert_ratio(light, heavy, 0.03)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(SOON_S)
            heavy_w, machine_w = powers([heavy, machine], 2)
            assert not heavy_w
            assert_power(machine_w, LIMIT_UW, 0.05)
            os.kill(pid, signal.SIGCONT)


@pytest.mark.alone
def test_static_shares_are_for_nobody_else(core):
    machine = Zone("machine")
    with _two((100, 300)) as (light, _, _, pid), machine.limited(BUSY_UW), policy("static"):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(SETTLE_S)
        light_w, machine_w = powers([light, machine], 3)
        left_uw = BUSY_UW - 1e6 * (machine_w - light_w)
        weights = [int(path.read_text()) for path in machine.path.glob("vmenergy:*/weight")]
        assert_power(light_w, left_uw * 100 / sum(weights), 0.1)
        os.kill(pid, signal.SIGCONT)


@pytest.mark.alone
def test_tasks_of_a_domain_compete_with_those_below(core):
    with Cgroup("slice") as outer, Config("slice", cgroup=outer.name), \
         Cgroup("inside", outer.path) as inner, Config("inside", cgroup=inner.name), \
         Cgroup("beside", outer.path) as beside, spinners(inner, beside):
        zone, inside = Zone("slice"), Zone("inside")
        with zone.limited(BUSY_UW):
            time.sleep(SETTLE_S)
            whole_w, part_w = powers([zone, inside], 3)
            assert_power(whole_w, BUSY_UW, 0.03)
            assert_power(part_w, BUSY_UW / 2, 0.05)


@pytest.mark.once
def test_unknown_policy_is_refused(core):
    with pytest.raises(OSError):
        set_parameter("policy", "generous")
    assert (accounts.PARAMETERS / "policy").read_text() == "max-min\n"


def test_modules_bring_their_own(core):
    machine = Zone("machine")
    kernels.load(SAMPLE)
    try:
        with _two((100, 300)) as (light, heavy, _, _), machine.limited(LIMIT_UW):
            with policy("priority"):
                assert subprocess.run(["rmmod", SAMPLE], stderr=subprocess.DEVNULL,
                                      check=False).returncode
                time.sleep(SETTLE_S)
                light_w, heavy_w = powers([light, heavy], 2)
                assert light_w < 0.1 * heavy_w
    finally:
        unload(SAMPLE)
    with pytest.raises(OSError):
        set_parameter("policy", "priority")
