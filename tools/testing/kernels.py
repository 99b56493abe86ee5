# SPDX-License-Identifier: GPL-2.0
"""The kernels in the cache, and the modules to load for them.

A kernel has a name ("6.1", "6.12", "arm64", "debug"); scripts/setup puts it into the
cache. The project's modules for it are below build/<name>/ of the checkout and
are preferred to the kernel's own of the same name.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def cache():
    """The directory that scripts/setup fills."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("VMENERGY_CACHE") or Path(home) / "vmenergy")


class Kernel:
    """One kernel of the cache."""

    def __init__(self, name):
        self.name = name
        self.directory = cache() / f"kernel-{name}"
        # Without its compression, where there is a choice: that boots faster.
        self.image = self.directory / "vmlinux"
        if not self.image.exists():
            self.image = self.directory / "vmlinuz"
        try:
            self.release = (self.directory / "release").read_text().strip()
        except FileNotFoundError:
            raise FileNotFoundError(
                f"no kernel {name} in {cache()}: see scripts/setup") from None

    def busybox(self):
        """A static busybox: its own, the test world's or, in a test host, that which is there."""
        candidates = [self.directory / "bin/busybox", cache() / "world/root/usr/bin/busybox"]
        return next((path for path in candidates if path.exists()),
                    Path(shutil.which("busybox") or "busybox"))

    def hz(self):
        """The kernel's ticks per second."""
        configs = [*self.directory.glob("boot/config-*"), self.directory / "build/.config"]
        config = next(path for path in configs if path.exists()).read_text()
        return int(re.search(r"^CONFIG_HZ=(\d+)$", config, re.MULTILINE)[1])

    def load_order(self, modules):
        """The files to insert, in this order, to have modules (names or .ko paths)."""
        foreign, own = [], []
        self._sort_out(modules, foreign, own)
        return list(dict.fromkeys(self._debian_modules(foreign) + own))

    def _sort_out(self, modules, foreign, own):
        """Adds to foreign names for modprobe, to own files of the project in load order."""
        for module in modules:
            path = self._project_module(module)
            if path:
                self._sort_out(_dependencies(path), foreign, own)
                own.append(path)
            else:
                foreign.append(module)

    def _project_module(self, module):
        path = Path(module)
        if path.suffix == ".ko":
            return path
        found = sorted((TOP / "build" / self.name).rglob(f"{module}.ko"))
        return found[0] if found else None

    def _debian_modules(self, names):
        """The files of modules, each behind those it needs; none for what is built in."""
        if not names:
            return []
        answer = subprocess.run(
            ["modprobe", "-d", self.directory, "-S", self.release, "-a", "--show-depends", *names],
            env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if answer.returncode:
            raise FileNotFoundError(f"kernel {self.name}: {answer.stderr.strip()}")
        words = (line.split() for line in answer.stdout.splitlines())
        return [Path(word[1]) for word in words if word[0] == "insmod"]


def _dependencies(path):
    """What the module says in its .modinfo section that it needs."""
    found = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    return [name for name in found[1].decode().split(",") if name] if found else []


def module_name(path):
    """The name under which /sys/module knows the module in file path."""
    return path.name.split(".")[0].replace("-", "_")


def load(module, *parameters):
    """Inserts module, given by name or path, and what it needs, into the running kernel.

    The parameters ("name=value") are the module's own. What is loaded already stays.
    """
    if Path("/sys/module", module).exists():
        return
    files = Kernel(current()).load_order([module])
    for path in files:
        if Path("/sys/module", module_name(path)).exists():
            continue
        own = parameters if path == files[-1] else ()
        subprocess.run(["insmod", path, *own], check=True)


def current():
    """The name of the kernel that runs this test host; None elsewhere."""
    return os.environ.get("VM_KERNEL")
