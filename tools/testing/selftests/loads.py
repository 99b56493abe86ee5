# SPDX-License-Identifier: GPL-2.0
"""Loads for guests to run, and a comparison of what they are charged with what they use."""

import contextlib
import os
import signal
import time
from pathlib import Path

import accounts
import kernels
from accounts import wait_for

# The debug kernel is for locks and lifetimes, and slow.
RUN_S = 3 if kernels.current() == "debug" else 10
TOLERANCE = 0.005
SPIN = "while :; do :; done"


@contextlib.contextmanager
def spinning(machine, count):
    """The guest runs that many endless loops."""
    loop = f"sh -c '{SPIN}' >/dev/null 2>&1 & echo $! >>/run/spinning"
    machine.check(f"for i in $(seq {count}); do {loop}; done")
    try:
        yield
    finally:
        machine.check("touch /run/spinning; kill $(cat /run/spinning) 2>/dev/null; "
                      "rm /run/spinning")


def is_stopped(pid):
    """All threads of the process are stopped."""
    states = [(task / "stat").read_text().rpartition(")")[2].split()[0]
              for task in Path(f"/proc/{pid}/task").iterdir()]
    return set(states) == {"T"}


@contextlib.contextmanager
def standing_still(pid):
    """The process is stopped, and what it has used is settled."""
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: is_stopped(pid))
        time.sleep(0.05)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class VmAccount:
    """Compares the account of a VM with its CPU time, from the first to the second look.

    helpers are threads that are the VM's, too, though not of its process.
    """

    def __init__(self, machine, helpers=()):
        self._pid = machine.pid
        self._helpers = helpers
        self._start = self._look()

    def _look(self):
        with standing_still(self._pid):
            time_ns = sum(map(accounts.cpu_time_ns, [self._pid, *self._helpers]))
            return accounts.row(f"vm-{self._pid}").cpu, time_ns, accounts.interrupted_uj()

    def check(self):
        """The two agree."""
        uj, time_ns, interrupted_uj = (end - start
                                       for start, end in zip(self._start, self._look()))
        accounts.assert_charged(uj, accounts.time_uj(time_ns), interrupted_uj, TOLERANCE)
        return time_ns
