# SPDX-License-Identifier: GPL-2.0
"""The tree of domains follows the cgroups, and no energy is lost on the way."""

import contextlib
import subprocess

import accounts
from accounts import CGROUPS, Cgroup, Config, is_exact, wait_for
from loads import VmAccount, spinning


def _parent(domain):
    row = accounts.row(domain)
    return row and row.parent


def _zone_parent(domain):
    path = accounts.zone(domain)
    return path and (path.resolve().parent / "name").read_text().strip()


def _lies_below(domain, parent):
    return _parent(domain) == parent == _zone_parent(domain)


def _rows():
    return {row.domain: row for row in accounts.table()}


def _vm(machine):
    return f"vm-{machine.pid}"


@contextlib.contextmanager
def _inside(machine, cgroup, domain):
    """The VM is in a cgroup, and so below a domain, for the time of the block."""
    cgroup.add(machine.pid)
    try:
        wait_for(lambda: _lies_below(_vm(machine), domain))
        yield
    finally:
        (CGROUPS / "cgroup.procs").write_text(str(machine.pid))
    wait_for(lambda: _lies_below(_vm(machine), "machine"))


def test_vm_that_moves_takes_its_account_along(guest):
    account = VmAccount(guest)
    with spinning(guest, 1), Cgroup("slice") as cgroup, Config("slice", cgroup=cgroup.name):
        for _ in range(5):
            start = _rows()
            with _inside(guest, cgroup, "slice"):
                wait_for(lambda: accounts.row("slice").energy > start["slice"].energy)
                rows = _rows()
                used = rows[_vm(guest)].energy - start[_vm(guest)].energy
                assert 0 < rows["slice"].energy - start["slice"].energy <= used
                assert rows["slice"].own == 0
                assert is_exact()
            assert accounts.row(_vm(guest)).energy >= rows[_vm(guest)].energy
            assert is_exact()
    account.check()


def test_zone_includes_what_lies_below(guest):
    with Cgroup("outer") as outer, Config("outer", cgroup=outer.name), \
         _inside(guest, outer, "outer"):
        start = _rows()
        guest.check("for i in $(seq 20000); do :; done")
        rows = _rows()
        used = rows[_vm(guest)].energy - start[_vm(guest)].energy
        assert used > 0
        assert rows["outer"].own == 0
        assert rows["outer"].energy - start["outer"].energy == used
        assert accounts.zone(_vm(guest)).resolve().parent == accounts.zone("outer").resolve()


def test_domain_made_in_between_takes_over(guest):
    with Cgroup("top") as top, Cgroup("middle", top.path) as middle, \
         Cgroup("bottom", middle.path) as bottom, Config("top", cgroup=top.name), \
         _inside(guest, bottom, "top"):
        with Config("bottom", cgroup=bottom.name):
            assert _lies_below(_vm(guest), "bottom")
            assert _lies_below("bottom", "top")
            with Config("middle", cgroup=middle.name):
                assert _lies_below("bottom", "middle")
                assert _lies_below("middle", "top")
                assert _lies_below(_vm(guest), "bottom")
                assert is_exact()
            assert _lies_below("bottom", "top")
        assert _lies_below(_vm(guest), "top")
        assert is_exact()


def test_task_is_charged_to_its_innermost_domain(core):
    with Cgroup("big") as big, Cgroup("small", big.path) as small, \
         Config("big", cgroup=big.name), Config("small", cgroup=small.name):
        child = subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=small.enter)
        try:
            wait_for(lambda: accounts.row("small").own > 10**6)
            with Config("child", pid=child.pid):
                assert _lies_below("child", "small")
                own = accounts.row("small").own
                wait_for(lambda: accounts.row("child").own > 10**6)
                rows = _rows()
                # What it used until every CPU had looked anew: a few ticks.
                assert rows["small"].own - own < 10**6
                assert rows["big"].own == 0
                assert rows["big"].energy == rows["small"].energy
                assert is_exact()
        finally:
            child.kill()
            child.wait()


def test_process_domain_outlives_its_process(core):
    child = subprocess.Popen(["sleep", "1000"])
    with Config("brief", pid=child.pid):
        child.kill()
        child.wait()
        assert accounts.row("brief").energy >= 0
        assert _zone_parent("brief") == "machine"


def test_ended_process_outlives_the_domain_around_it(core):
    with Cgroup("around") as around:
        outer = Config("around", cgroup=around.name)
        outer.__enter__()
        child = subprocess.Popen(["sleep", "1000"], preexec_fn=around.enter)
        with Config("within", pid=child.pid):
            assert _lies_below("within", "around")
            child.kill()
            child.wait()
            assert _lies_below("within", "around")
            outer.__exit__()
            assert _lies_below("within", "machine")
            assert is_exact()
        assert is_exact()


def test_ended_domain_leaves_its_energy_above(core):
    with Cgroup("holder") as holder, Config("holder", cgroup=holder.name):
        with Cgroup("inner", holder.path) as inner, Config("inner", cgroup=inner.name):
            subprocess.run(["sh", "-c", "for i in $(seq 20000); do :; done"],
                           preexec_fn=inner.enter, check=True)
            used = wait_for(lambda: accounts.row("inner").energy)
        rows = _rows()
        assert "inner" not in rows
        assert rows["holder"].energy >= used
        assert is_exact()
