# SPDX-License-Identifier: GPL-2.0
"""Writes the initrd of a machine: busybox, init, modules and files.

The format is cpio's "newc" (Documentation/driver-api/early-userspace/
buffer-format.rst in the kernel), written here because neither cpio nor root,
whom cpio would need for device nodes, is at hand everywhere. It stays
uncompressed: unpacking costs an emulated CPU more than reading.
"""

import lzma
import stat
from pathlib import Path

from kernels import module_name

INIT = Path(__file__).with_name("init")
ALIGNMENT = 4


def _header(name, inode, mode, size, device):
    major, minor = device
    fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(name) + 1, 0]
    return b"070701" + b"".join(b"%08X" % field for field in fields)


def _pad(data):
    return data + b"\0" * (-len(data) % ALIGNMENT)


class Archive:
    """A cpio archive in the making; a path's directories come with it."""

    def __init__(self, file):
        self._file = file
        self._names = set()

    def add(self, name, mode, data=b"", device=(0, 0)):
        """Adds name (no leading slash); mode has the file type."""
        parent = name.rpartition("/")[0]
        if parent and parent not in self._names:
            self.add(parent, stat.S_IFDIR | 0o755)
        self._names.add(name)
        encoded = name.encode()
        header = _header(encoded, len(self._names), mode, len(data), device)
        self._file.write(_pad(header + encoded + b"\0") + _pad(data))

    def add_file(self, name, data, mode=0o755):
        """Adds a regular file."""
        self.add(name, stat.S_IFREG | mode, data)

    def finish(self):
        """Ends the archive."""
        self.add("TRAILER!!!", 0)


def _module_bytes(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def write(path, busybox, modules, files):
    """Writes the initrd to path.

    busybox: the file, a static program
    modules: the files of the modules that init loads, in load order.
    files: further files, {name in the initrd: Path of the original}.
    """
    with open(path, "wb") as file:
        archive = Archive(file)
        archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        archive.add_file("bin/busybox", busybox.read_bytes())
        archive.add_file("init", INIT.read_bytes())
        for module in modules:
            archive.add_file(f"modules/{module_name(module)}.ko", _module_bytes(module))
        order = "".join(f"{module_name(module)}.ko\n" for module in modules)
        archive.add_file("modules/order", order.encode())
        for name, original in files.items():
            data = Path(original).read_bytes()
            archive.add_file(name.lstrip("/"), data, Path(original).stat().st_mode & 0o777)
        archive.finish()
