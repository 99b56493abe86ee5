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
# least. QEMU's emulated SVM now and then does let one through, with the guest's GS base loaded,
# and the host's kernel faults: once in half an hour of guests, without any module of ours. The
# fault's handler faults for the same reason, so that the stack overflows in the entry code.
EMULATION_FAULT = re.compile(
    r"asm_(?:sysvec_\w+|common_interrupt)\+[^\n]*\n[^\n]*RIP: 0010:__svm_vcpu_run\+|"
    r"stack guard page.*Comm: qemu-system-x86.{0,800}?RIP: 0010:(?:error_entry|asm_exc_page_fault)\+",
    re.DOTALL)


def is_of_emulation(log):
    """Whether the kernel died of what only an emulated processor does."""
    return bool(EMULATION_FAULT.search(log))
