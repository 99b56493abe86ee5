# SPDX-License-Identifier: GPL-2.0
"""Tasks that wait for energy: they can be stopped, killed and moved, and guests live on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import accounts
import kernels
import vm
from accounts import CGROUPS, Cgroup, Config, wait_for
from conftest import check_health, guest_kernel
from limits import BUSY_UW, TRIES, Zone, assert_power, crowd, process
from loads import SPIN, is_stopped, spinning

TRACING = Path("/sys/kernel/tracing")
TENTH_UW = 0.1 * BUSY_UW
TICKLISH = kernels.TOP / "build/programs/ticklish"
VMM = kernels.TOP / "build/programs/vmm"
# More threads than task works that there is room for at first
HERD = 1500
ANSWER_S = 0.2
# Emulation takes its time.
SLOW = 5 if kernels.current() == "debug" else 1


def _seconds(function, *arguments):
    start = time.monotonic()
    function(*arguments)
    return time.monotonic() - start


def _waits(zone):
    before = zone.events()["throttled"]
    wait_for(lambda: zone.events()["throttled"] > before, what="a task waits")


def _runs_again(zone):
    """What was used beyond the limit is paid for: it is used again, and waited for."""
    enough_uj = zone.read("energy_uj") + 10**5
    wait_for(lambda: zone.read("energy_uj") > enough_uj, what="the domain runs")
    _waits(zone)


@pytest.mark.alone
def test_monitor_answers(guest):
    zone = Zone(f"vm-{guest.pid}")
    with spinning(guest, 2), zone.limited(TENTH_UW):
        times = []
        for _ in range(10):
            _runs_again(zone)
            times.append([_seconds(guest.qmp, command) for command in ("query-status", "stop")])
            guest.qmp("cont")
        print("status and stop after", *(f"{asked:.3f} s, {stopped:.3f} s;"
                                         for asked, stopped in times))
        assert max(map(max, times)) < ANSWER_S


def test_guest_lives_on_a_tenth(guest):
    zone = Zone(f"vm-{guest.pid}")
    with spinning(guest, 2):
        ticks = "for pid in $(cat /run/spinning); do cut -d' ' -f14 /proc/$pid/stat; done"
        before = guest.check(ticks).split()
        with zone.limited(TENTH_UW):
            # Twice as long as a CPU may stand still until its kernel complains
            time.sleep(45)
            assert zone.events()["throttled_usec"] > 0
        after = guest.check(ticks).split()
    assert all(int(last) > int(first) for first, last in zip(before, after))
    check_health(guest)


@pytest.mark.alone
def test_monitor_answers_without_any_energy(guest):
    zone = Zone(f"vm-{guest.pid}")
    with spinning(guest, 2):
        zone.write("budget_uj", 0)
        try:
            wait_for(lambda: zone.events()["throttled"])
            asked_s = [_seconds(guest.qmp, "query-status") for _ in range(5)]
            stopped_s = _seconds(guest.qmp, "stop")
            guest.qmp("cont")
            print("answered after", *(f"{one:.3f} s" for one in asked_s),
                  f"stopped after {stopped_s:.3f} s")
            assert max(*asked_s, stopped_s) < 5 * ANSWER_S
        finally:
            zone.write("budget_uj", "max")


def test_process_that_waits_can_be_killed(core):
    with crowd("victim", SPIN) as (zone, children), zone.limited(TENTH_UW / 2):
        _waits(zone)
        children[0].kill()
        assert _seconds(children[0].wait) < SLOW


def test_vm_that_waits_can_be_killed(core):
    machine = vm.guest(guest_kernel()).start()
    zone = Zone(f"vm-{machine.pid}")
    machine.check(f"({SPIN}) >/dev/null 2>&1 &")
    zone.limit(TENTH_UW)
    _waits(zone)
    os.kill(machine.pid, signal.SIGKILL)
    assert _seconds(wait_for, lambda: not machine.running) < SLOW
    wait_for(lambda: accounts.row(f"vm-{machine.pid}") is None)
    machine.kill()


def test_task_that_waits_can_be_stopped_and_moved(core):
    with crowd("left", SPIN) as (zone, children), zone.limited(TENTH_UW / 2):
        _waits(zone)
        os.kill(children[0].pid, signal.SIGSTOP)
        wait_for(lambda: is_stopped(children[0].pid), timeout=2 * SLOW)
        os.kill(children[0].pid, signal.SIGCONT)
        _waits(zone)
        (CGROUPS / "cgroup.procs").write_text(str(children[0].pid))
        start_ns = accounts.cpu_time_ns(children[0].pid)
        wait_for(lambda: accounts.cpu_time_ns(children[0].pid) > start_ns + 10**9, timeout=5)
        children[0].kill()


def test_stop_is_heeded_without_any_energy(core):
    with crowd("broke", SPIN) as (zone, children):
        zone.write("budget_uj", 0)
        wait_for(lambda: zone.events()["throttled"], what="a task waits")
        os.kill(children[0].pid, signal.SIGSTOP)
        wait_for(lambda: is_stopped(children[0].pid), timeout=2 * SLOW)


@pytest.mark.alone
def test_signal_is_handled_without_any_energy(core):
    """Where a millisecond is too short to get into the handler, its own signal is no help."""
    with crowd("asked", f"trap 'exit 7' TERM; {SPIN}") as (zone, children):
        wait_for(lambda: zone.read("energy_uj") > 0.5 * BUSY_UW)
        zone.write("budget_uj", 0)
        wait_for(lambda: zone.events()["throttled"], what="a task waits")
        # Each signal is good for a millisecond.
        while children[0].poll() is None:
            children[0].terminate()
            time.sleep(0.2)
        assert children[0].wait() == 7


def test_cgroup_freezes_without_any_energy(core):
    with crowd("frozen", SPIN, SPIN) as (zone, _):
        zone.write("budget_uj", 0)
        wait_for(lambda: zone.events()["throttled"], what="a task waits")
        (CGROUPS / "frozen/cgroup.freeze").write_text("1")
        wait_for(lambda: "frozen 1" in (CGROUPS / "frozen/cgroup.events").read_text(),
                 timeout=2 * SLOW)
        (CGROUPS / "frozen/cgroup.freeze").write_text("0")


def test_threads_beside_a_vcpu_do_not_escape(core):
    kernels.load(vm.kvm_module())
    with crowd("disguised", f"exec {VMM} 4") as (zone, children):
        wait_for(lambda: accounts.row(f"vm-{children[0].pid}"))
        with zone.limited(0.2 * BUSY_UW):
            # What they are granted is used up.
            _waits(zone)
            wait_for(lambda: zone.watts(1)[0] < 0.3 * BUSY_UW / 1e6, timeout=30)
            assert zone.watts(3)[0] < 0.22 * BUSY_UW / 1e6


@pytest.mark.alone
def test_threads_beside_a_vcpu_leave_others_their_share(core):
    kernels.load(vm.kvm_module())
    with Cgroup("pair") as outer, Config("pair", cgroup=outer.name), \
         Cgroup("one", outer.path) as one, Config("one", cgroup=one.name), \
         Cgroup("vmm", outer.path) as vmm:
        with process("sh", "-c", SPIN) as spinner, process(VMM, "4") as disguised:
            one.add(spinner.pid)
            vmm.add(disguised.pid)
            wait_for(lambda: accounts.row(f"vm-{disguised.pid}"))
            with Zone("pair").limited(0.6 * BUSY_UW):
                # A tenth of a CPU is for what VMMs have to do in any case.
                wait_for(lambda: Zone("one").watts(1)[0] > (0.3 - 0.1) * BUSY_UW / 1e6,
                         timeout=30)


@pytest.mark.alone
def test_signals_are_no_way_out(core):
    with crowd("signalled", f"trap : USR1; {SPIN}") as (zone, children):
        # It knows what to do by then.
        wait_for(lambda: zone.read("energy_uj") > 0.5 * BUSY_UW)
        sender = f"while :; do kill -USR1 {children[0].pid}; sleep 0.02; done"
        with zone.limited(0.1 * BUSY_UW), process("sh", "-c", sender):
            _waits(zone)
            assert_power(zone.watts(5)[0], 0.1 * BUSY_UW, 0.05)


@pytest.mark.alone
def test_many_signals_are_no_way_out(core):
    with crowd("ticklish", f"exec {TICKLISH} 100 200") as (zone, children):
        threads = Path(f"/proc/{children[0].pid}/task")
        wait_for(lambda: len(list(threads.iterdir())) == 100)
        with zone.limited(0.1 * BUSY_UW):
            time.sleep(5)
            watts = zone.watts(5)[0]
            print(f"{watts:.3f} W")
            # A twentieth of a CPU is for signals in any case, but emulated timers are late; and
            # it takes some to wait.
            assert watts < (0.1 + 0.15) * BUSY_UW / 1e6


@pytest.mark.alone
def test_kicks_are_no_way_out(core):
    kernels.load(vm.kvm_module())
    with crowd("kicked", f"exec {VMM} 0 200") as (zone, children):
        wait_for(lambda: accounts.row(f"vm-{children[0].pid}"))
        with zone.limited(0.1 * BUSY_UW):
            time.sleep(3)
            watts = zone.watts(5)[0]
            print(f"{watts:.3f} W")
            assert watts < 0.3 * BUSY_UW / 1e6


@pytest.mark.alone
def test_realtime_tasks_wait(core):
    with crowd("urgent", f"exec chrt -f 1 sh -c '{SPIN}'") as (zone, _), \
         zone.limited(0.3 * BUSY_UW):
        _waits(zone)
        time.sleep(1)
        assert_power(zone.watts(3)[0], 0.3 * BUSY_UW, 0.03)


@pytest.mark.alone
def test_many_that_block_make_room_for_no_others(core):
    """Threads that are made to wait when they wake up, but block in the kernel again."""
    event = os.eventfd(0)
    herd = ["python3", "-c", f"""
import os, threading
threading.stack_size(65536)
for _ in range({HERD}):
    threading.Thread(target=os.eventfd_read, args=({event},), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()"""]
    with crowd("herd") as (zone, _), crowd("other", SPIN) as (other, _):
        with subprocess.Popen(herd, stdout=subprocess.PIPE, pass_fds=[event]) as child:
            child.stdout.readline()
            (CGROUPS / "herd/cgroup.procs").write_text(str(child.pid))
            zone.write("budget_uj", 0)
            with other.limited(0.3 * BUSY_UW):
                for _ in range(3):
                    os.eventfd_write(event, 1)
                    time.sleep(0.3)
                _waits(other)
                assert_power(other.watts(3)[0], 0.3 * BUSY_UW, 0.05)
            child.kill()
    os.close(event)


def test_domain_ends_while_its_tasks_wait(core):
    with Cgroup("ending") as cgroup:
        with Config("ending", cgroup=cgroup.name):
            child = subprocess.Popen(["sh", "-c", SPIN], preexec_fn=cgroup.enter)
            zone = Zone("ending")
            zone.limit(TENTH_UW / 2)
            _waits(zone)
        start_ns = accounts.cpu_time_ns(child.pid)
        wait_for(lambda: accounts.cpu_time_ns(child.pid) > start_ns + 10**9, timeout=5)
        child.kill()
        child.wait()


def _remove_while_tasks_wait(guest, child):
    """Returns how long it took."""
    kernels.load("vmenergy")
    zones = [Zone(f"vm-{guest.pid}")]
    with Config("going", pid=child.pid):
        zones.append(Zone("going"))
        for zone in zones:
            zone.limit(TENTH_UW / 2)
        for zone in zones:
            _waits(zone)
    seconds = _seconds(subprocess.run, ["rmmod", "vmenergy"])
    assert not Path("/sys/module/vmenergy").exists()
    return seconds


def test_module_goes_while_tasks_wait(unloaded, shared_guest):
    with process("sh", "-c", SPIN) as child, spinning(shared_guest, 2):
        # It takes longer if the machine is busy with other things.
        assert any(_remove_while_tasks_wait(shared_guest, child) < SLOW for _ in range(TRIES))


@pytest.mark.once
def test_waits_can_be_traced(core):
    events = TRACING / "events/vmenergy"
    (TRACING / "trace").write_text("")
    (events / "enable").write_text("1")
    try:
        with crowd("traced", SPIN) as (zone, _), zone.limited(TENTH_UW):
            _waits(zone)
            _waits(zone)
    finally:
        (events / "enable").write_text("0")
    lines = [line for line in (TRACING / "trace").read_text().splitlines()
             if "domain=traced" in line]
    for event in ("charge", "exhaust", "throttle", "release"):
        assert any(f"vmenergy_{event}: " in line for line in lines), event
    charged = [line for line in lines if "vmenergy_charge: " in line]
    assert any(int(line.rpartition("pj=")[2]) > 0 for line in charged)
