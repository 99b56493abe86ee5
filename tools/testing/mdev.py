# SPDX-License-Identifier: GPL-2.0
"""virtio-energy devices, as the host makes them for its guests."""

import contextlib
import threading
import uuid
from pathlib import Path

PARENTS = Path("/sys/class/mdev_bus")
DEVICES = Path("/sys/bus/mdev/devices")
REMOVE_S = 60


class Mdev:
    """A device. The module vmenergy_mdev is loaded."""

    def __init__(self):
        self.path = DEVICES / str(uuid.uuid4())
        create, = PARENTS.glob("*/mdev_supported_types/*/create")
        create.write_text(self.path.name)

    def qemu_args(self, **options):
        """How QEMU attaches it."""
        extra = "".join(f",{key}={value}" for key, value in options.items())
        return ["-device", f"vfio-pci,sysfsdev={self.path}{extra}"]

    def remove(self):
        """Removes it, if it is still there; fails if a VM doesn't let go of it."""
        removal = threading.Thread(target=self._remove, daemon=True)
        removal.start()
        removal.join(REMOVE_S)
        if removal.is_alive():
            raise TimeoutError(f"{self.path.name} is not removed after {REMOVE_S} s")

    def _remove(self):
        with contextlib.suppress(FileNotFoundError):
            (self.path / "remove").write_text("1")
