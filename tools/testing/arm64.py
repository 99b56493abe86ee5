# SPDX-License-Identifier: GPL-2.0
"""vmenergy with a real PMU, that of an emulated arm64 machine: exact counts of instructions.

The machine has busybox alone, so that its tests run here and tell it what to do.
"""

import re
import sys
import traceback
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "selftests"))

# pylint: disable=wrong-import-position
import accounts
import complaints
import kernels
import vm
from accounts import wait_for

PROGRAMS = kernels.TOP / "build/programs/arm64"
FILES = {f"/bin/{name}": PROGRAMS / name for name in ("count", "kvmcount")}
EVENT = "0:1"  # instructions, whatever PMU counts them
WEIGHT_PJ = 1000
INSTRUCTIONS = 200_000_000
TOLERANCE = 0.01
MODEL = f"busy_mw=0 events={EVENT}:{WEIGHT_PJ}"
DOMAINS = "/sys/kernel/config/vmenergy"


def _load(machine, parameters):
    machine.check("mkdir -p /sys/kernel/config; mount -t configfs configfs /sys/kernel/config; true")
    return machine.check(f"insmod /modules-later/vmenergy.ko {parameters} && dmesg")


def _rows(machine):
    return accounts.parse(machine.check("cat /proc/vmenergy"))


def _account_pj(machine, domain):
    """What a domain has used; None if there is no such domain."""
    row = next((row for row in _rows(machine) if row.domain == domain), None)
    return row and int(row.energy * accounts.PJ_PER_UJ)


def _wait_stopped(machine, pid):
    wait_for(lambda: machine.check(f"cat /proc/{pid}/stat").split()[2] == "T",
             what=f"process {pid} has stopped")


def _start(machine, command):
    """Starts a program that stops itself; returns its process id."""
    pid = int(machine.check(f"{command} >/dev/kmsg 2>&1 & echo $!"))
    _wait_stopped(machine, pid)
    return pid


def _describe(machine, name, pid):
    machine.check(f"mkdir {DOMAINS}/{name}; echo {pid} >{DOMAINS}/{name}/pid; "
                  f"echo 1 >{DOMAINS}/{name}/live")


def _assert_counted(used_pj, instructions):
    expected_pj = instructions * WEIGHT_PJ
    off = used_pj / expected_pj - 1
    assert abs(off) <= TOLERANCE, f"{used_pj} pJ for {expected_pj} pJ: off by {100 * off:.3f} %"


def process_is_charged_its_instructions(machine):
    """A process that is a domain, and one that sleeps beside it."""
    pid = _start(machine, f"count {INSTRUCTIONS}")
    sleeper = int(machine.check("sleep 600 >/dev/null 2>&1 & echo $!"))
    for name, process in (("busy", pid), ("asleep", sleeper)):
        _describe(machine, name, process)
    before_pj, asleep_pj = _account_pj(machine, "busy"), _account_pj(machine, "asleep")
    machine.check(f"kill -CONT {pid}")
    wait_for(lambda: machine.run(f"kill -0 {pid}")[0], what="the program has ended")
    _assert_counted(_account_pj(machine, "busy") - before_pj, INSTRUCTIONS)
    assert _account_pj(machine, "asleep") - asleep_pj < 0.001 * INSTRUCTIONS * WEIGHT_PJ
    assert accounts.is_exact(_rows(machine))
    machine.check(f"kill {sleeper}; rmdir {DOMAINS}/*")


def guest_is_charged_its_instructions(machine):
    """A KVM guest, which becomes a domain by itself. It is counted from its second round on."""
    pid = _start(machine, f"kvmcount {INSTRUCTIONS}")
    before_pj = _account_pj(machine, f"vm-{pid}")
    assert before_pj, machine.check("dmesg | tail")
    machine.check(f"kill -CONT {pid}")
    wait_for(lambda: _account_pj(machine, f"vm-{pid}") > before_pj + INSTRUCTIONS * WEIGHT_PJ / 2,
             what="the guest has run")
    _wait_stopped(machine, pid)
    _assert_counted(_account_pj(machine, f"vm-{pid}") - before_pj, INSTRUCTIONS)
    machine.check(f"kill -KILL {pid}")
    wait_for(lambda: _account_pj(machine, f"vm-{pid}") is None, what="the VM has ended")
    assert accounts.is_exact(_rows(machine))


def missing_event_is_named(machine):
    """Without a PMU, the model goes on with what there is."""
    said = _load(machine, f"busy_mw=1000 events={EVENT}:{WEIGHT_PJ}")
    assert re.search(r"event 0:0x1 is not counted on 1 CPUs \(-\w+\), the model goes on without", said)
    pid = _start(machine, f"count {INSTRUCTIONS}")
    _describe(machine, "busy", pid)
    machine.check(f"kill -CONT {pid}")
    wait_for(lambda: machine.run(f"kill -0 {pid}")[0], what="the program has ended")
    # 2 ns an instruction, at 1 W
    used_pj = _account_pj(machine, "busy")
    assert abs(used_pj / (2000 * INSTRUCTIONS) - 1) < 0.05, f"{used_pj} pJ"
    machine.check(f"rmdir {DOMAINS}/*")


def _modules_later():
    """Loaded by the tests, which choose the parameters."""
    return FILES | {f"/modules-later/{path.name}": path
                    for path in (kernels.TOP / "build/arm64").rglob("vmenergy.ko")}


def _with_machine(pmu, logs, tests):
    """Runs tests in a machine; yields (name, problem)."""
    with vm.arm64(pmu=pmu, files=_modules_later(), modules=["configfs"], logs=logs) as machine:
        for test in [*tests, module_goes]:
            try:
                test(machine)
                yield test.__name__, ""
            except Exception:  # pylint: disable=broad-except
                yield test.__name__, traceback.format_exc()
    yield f"console of {logs.name}", complaints.find((logs / "console.log").read_text())


def with_pmu_loaded(machine):
    """The model counts instructions, and nothing else."""
    assert "is not counted" not in _load(machine, MODEL)


def module_goes(machine):
    """It can be unloaded, as nothing is left that uses it."""
    machine.check(f"rmdir {DOMAINS}/* 2>/dev/null; rmmod vmenergy")


def check(out):
    """All tests; yields (name, problem)."""
    yield from _with_machine(True, out / "pmu", [
        with_pmu_loaded, process_is_charged_its_instructions, guest_is_charged_its_instructions])
    yield from _with_machine(False, out / "no-pmu", [missing_event_is_named])
