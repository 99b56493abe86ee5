# SPDX-License-Identifier: GPL-2.0
"""Counters of a CPU by perf_event_open(2), and what sysfs says of a PMU."""

import ctypes
import os
import platform
import struct
from pathlib import Path

DEVICES = Path("/sys/bus/event_source/devices")
PINNED = 1 << 2
_SYSCALL = {"x86_64": 298, "aarch64": 241}[platform.machine()]
# type, size, config, sample_period, sample_type, read_format, flags and the rest of version 0
_ATTR = struct.Struct("=IIQQQQQ16x")
_libc = ctypes.CDLL(None, use_errno=True)


class Event:
    """A counter of one CPU (or of one task, if pid says so), closed with the block."""

    def __init__(self, pmu, config, cpu, pid=-1, pinned=False, sample_period=0):
        attr = _ATTR.pack(pmu_type(pmu), _ATTR.size, config, sample_period, 0, 0,
                          PINNED if pinned else 0)
        self.fd = _libc.syscall(_SYSCALL, attr, pid, cpu, -1, 0)
        if self.fd < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), f"{pmu}/config={config}/ on CPU {cpu}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def read(self):
        """The count; None if the event is pinned and found no counter."""
        value = os.read(self.fd, 8)
        return struct.unpack("=q", value)[0] if value else None

    def close(self):
        """Ends the event."""
        os.close(self.fd)


def pmu_type(pmu):
    """What perf_event_attr.type must be for a PMU."""
    return int(attribute(pmu, "type"))


def attribute(pmu, path):
    """A file of the PMU in sysfs."""
    return (DEVICES / pmu / path).read_text().strip()
