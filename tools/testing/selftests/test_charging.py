# SPDX-License-Identifier: GPL-2.0
"""The time model: what is charged is CPU time times power, for whom it was used."""

import statistics
import subprocess
import time

import pytest

import accounts
from accounts import PJ_PER_UJ, Cgroup, Config, is_exact
from loads import RUN_S, SPIN, TOLERANCE, VmAccount, spinning, standing_still

# Two ticks. Without them, it is the work items that interrupt a busy process, every 100 ms.
USUAL_LAG_NS = 8 * 10**6


@pytest.mark.accuracy
@pytest.mark.parametrize("busy", [0, 1, 2])
def test_vm_is_charged_its_cpu_time(guest, busy):
    account = VmAccount(guest)
    with spinning(guest, busy):
        time.sleep(RUN_S)
        time_ns = account.check()
    assert time_ns > busy * 0.5 * RUN_S * 1e9


def _look_at_cgroup(cgroup, name):
    time_ns, (uj, interrupted_uj) = cgroup.look(
        lambda: (accounts.row(name).cpu, accounts.interrupted_uj()))
    return uj, time_ns, interrupted_uj


@pytest.mark.accuracy
def test_cgroup_is_charged_its_cpu_time(core):
    with Cgroup("crowd") as cgroup, Config("crowd", cgroup=cgroup.name):
        storm = "while :; do /bin/true; done"
        children = [subprocess.Popen(["sh", "-c", command], preexec_fn=cgroup.enter)
                    for command in (SPIN, storm, storm)]
        start = _look_at_cgroup(cgroup, "crowd")
        time.sleep(RUN_S)
        end = _look_at_cgroup(cgroup, "crowd")
        for child in children:
            child.kill()
            child.wait()
    uj, time_ns, interrupted_uj = (now - then for now, then in zip(end, start))
    accounts.assert_charged(uj, accounts.time_uj(time_ns), interrupted_uj, TOLERANCE)


def test_power_can_be_changed_at_run_time(core):
    before = accounts.busy_mw()
    with Cgroup("priced") as cgroup, Config("priced", cgroup=cgroup.name):
        child = subprocess.Popen(["sh", "-c", SPIN], preexec_fn=cgroup.enter)
        try:
            (accounts.PARAMETERS / "busy_mw").write_text(str(3 * before))
            start = _look_at_cgroup(cgroup, "priced")
            time.sleep(2)
            end = _look_at_cgroup(cgroup, "priced")
        finally:
            (accounts.PARAMETERS / "busy_mw").write_text(str(before))
            child.kill()
            child.wait()
    uj, time_ns, interrupted_uj = (now - then for now, then in zip(end, start))
    accounts.assert_charged(uj, accounts.time_uj(time_ns, 3 * before), interrupted_uj, TOLERANCE)


def test_accounts_sum_up_while_domains_come_and_go(guest):
    with spinning(guest, 1):
        for number in range(5):
            with Cgroup(f"passing-{number}") as cgroup, \
                 Config(f"passing-{number}", cgroup=cgroup.name):
                subprocess.run(["sh", "-c", "for i in 1 2 3 4 5; do /bin/true; done"],
                               preexec_fn=cgroup.enter, check=True)
                assert is_exact()
            assert is_exact()
            for charged_pj, accounted_pj in accounts.audit().values():
                assert charged_pj == accounted_pj


def test_machine_holds_every_charge(guest):
    """Each CPU charges at every tick, so this is off by what it has run since the last."""
    with spinning(guest, 2):
        for _ in range(20):
            before = accounts.audit()
            machine_pj = accounts.table()[0].cpu * PJ_PER_UJ
            after = accounts.audit()
            assert machine_pj >= sum(charged for charged, _ in before.values())
            assert machine_pj <= sum(charged for charged, _ in after.values())
            time.sleep(0.1)


@pytest.mark.accuracy
@pytest.mark.parametrize("policy", ["other", "fifo"])
def test_busy_process_is_charged_at_every_tick(core, policy):
    """What it has used since the last tick is all that is missing, whatever the scheduling."""
    command = ["chrt", f"--{policy}", "1" if policy == "fifo" else "0", "sh", "-c", SPIN]
    lags_ns = []
    with subprocess.Popen(command) as child:
        try:
            with Config("ticking", pid=child.pid):
                for _ in range(50):
                    with standing_still(child.pid):
                        start_uj = accounts.row("ticking").cpu
                        start_ns = accounts.cpu_time_ns(child.pid)
                    time.sleep(0.05)
                    before_ns = accounts.cpu_time_ns(child.pid) - start_ns
                    used_uj = accounts.row("ticking").cpu - start_uj
                    after_ns = accounts.cpu_time_ns(child.pid) - start_ns
                    uj_per_ns = accounts.busy_mw() / PJ_PER_UJ
                    lags_ns.append(before_ns - float(used_uj) / uj_per_ns)
                    assert used_uj * PJ_PER_UJ <= after_ns * accounts.busy_mw()
        finally:
            child.kill()
    # Not all: an emulated CPU is late for its own ticks now and then.
    assert statistics.median(lags_ns) <= USUAL_LAG_NS


def test_zone_shows_what_the_table_shows(guest):
    name = f"vm-{guest.pid}"
    with standing_still(guest.pid):
        row = accounts.row(name)
        assert abs(accounts.zone_uj(name) - row.energy) <= 2
        assert abs(accounts.zone_uj(f"cpu-{guest.pid}") - row.cpu) <= 1
        assert accounts.zone_uj(f"disk-{guest.pid}") == row.disk == 0
