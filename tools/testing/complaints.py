# SPDX-License-Identifier: GPL-2.0
"""What a kernel says when something is wrong."""

import re

COMPLAINT = re.compile(
    r"WARNING:|BUG:|BUG at|Oops|KASAN|UBSAN|Kernel panic|Call Trace|blocked for more than|"
    r"soft lockup|hard LOCKUP|rcu_\w+ detected|self-detected stall|suspicious RCU|"
    r"unreferenced object|refcount_t|list_add corruption|list_del corruption|does not load")
LINES = 40


def find(log):
    """The first complaint in a log and what follows it; empty if there is none."""
    lines = log.splitlines()
    first = next((n for n, line in enumerate(lines) if COMPLAINT.search(line)), None)
    return "" if first is None else "\n".join(lines[first:first + LINES])


# While a guest is entered or left no interrupt is let through (GIF is clear), by hardware at
# least. QEMU's emulated SVM now and then does let one through, with the guest's state loaded, and
# the host's kernel faults: without any module of ours, too. The fault's handler faults for the
# same reason, so that all there is may be a stack that has overflowed in the entry code.
ENTERING_GUEST = re.compile(
    r"RIP: 0010:(?:__svm_vcpu_run|svm_vcpu_\w+|kvm_arch_vcpu_ioctl_run|error_entry|paranoid_entry|"
    r"asm_\w+|exc_\w+|sysvec_\w+|irqentry_\w+|common_interrupt)\+")
OURS = re.compile(r"\bvmen_\w+\+|\[vmenergy|\[virtio_energy")
DETECTED = re.compile(r"WARNING:|KASAN|UBSAN|lockdep|suspicious|list_\w+ corruption|refcount_t")


def is_of_emulation(log):
    """Whether the kernel died of what only an emulated processor does: the VMM's thread
    faulted on its way into a guest, nothing else was wrong before, and nothing of ours ran.
    """
    first = COMPLAINT.search(log)
    report = log[first.start():] if first else ""
    return ("Comm: qemu-system-x86" in report and bool(ENTERING_GUEST.search(report)) and
            not OURS.search(report) and not DETECTED.search(report))
