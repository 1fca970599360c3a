"""The commands of the Makefile explain themselves, and the locked requirements are what was asked for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {"install", "run", "test", "check", "live", "bench", "lock", "screenshots", "clean"}


def pinned(lock: str) -> dict[str, str]:
    """Return the exact version of each package in a lock file."""
    lines = (ROOT / lock).read_text().splitlines()
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", "\n".join(lines), re.MULTILINE))


def asked_for(source: str) -> list[Requirement]:
    """Return what a requirements.in file asks for."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / source).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def test_make_lists_its_commands() -> None:
    """`make` alone lists every command with its help."""
    make = shutil.which("make")
    assert make is not None
    listing = subprocess.run([make, "-C", ROOT], capture_output=True, text=True, check=True).stdout

    assert set(re.findall(r"^  make ([a-z]+) +\S", listing, re.MULTILINE)) == COMMANDS | {"help"}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_fits_what_was_asked_for(name: str) -> None:
    """Each package of the .in file is locked, in a version that it allows."""
    locked = pinned(f"{name}.txt")

    misfits = [str(asked) for asked in asked_for(f"{name}.in") if locked[asked.name.lower()] not in asked.specifier]
    assert misfits == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_lock_is_complete_and_portable(lock: str) -> None:
    """Each locked package has hashes, and no index, address or folder of the machine that locked it is named."""
    text = (ROOT / lock).read_text()
    blocks = re.split(r"\n(?=[a-z])", text)[1:]

    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"://|@ |--(?:extra-)?index|--find-links|^/", text, re.MULTILINE) == []


def test_tests_run_with_the_locked_runtime() -> None:
    """The development lock holds every runtime package in the version that is deployed."""
    assert pinned("requirements.txt").items() <= pinned("requirements-dev.txt").items()
