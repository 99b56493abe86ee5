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
