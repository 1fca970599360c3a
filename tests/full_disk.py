"""A disk that can be filled and emptied again: a tmpfs of a few megabytes, for who may mount one."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import require, unavailable


class SmallDisk:
    """A mounted folder with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room."""
        with self._filler.open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return

    def empty(self) -> None:
        """Give the room back."""
        self._filler.unlink()


@contextmanager
def small_disk(size: str = "16m") -> Iterator[SmallDisk]:
    """Mount it for the time of a `with` block; without the right to mount, skip the test."""
    mount, umount = require("mount"), require("umount")
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        options = ["-t", "tmpfs", "-o", f"size={size},uid={os.geteuid()}", "tmpfs", folder]
        if subprocess.run([mount, *options], check=False, capture_output=True).returncode:
            unavailable("a small disk cannot be mounted here; run the tests as root")
        try:
            yield SmallDisk(Path(folder))
        finally:
            subprocess.run([umount, folder], check=True)
