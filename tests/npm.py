"""Installs what npm has into a test's own folder; without a registry the test is skipped, and fails in CI."""

import subprocess
from pathlib import Path

from tests.services import require, unavailable

_INSTALL_WITHIN_S = 100


def install(package: str, folder: Path) -> Path:
    """Install a package; give its folder."""
    command: list[str | Path] = [
        require("npm"),
        "install",
        "--prefix",
        folder,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        package,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        unavailable(f"{package} could not be installed within {_INSTALL_WITHIN_S} s")
    if done.returncode:
        unavailable(f"{package} could not be installed: {done.stderr.strip()[-300:]}")
    return folder / "node_modules" / package.rpartition("@")[0]
