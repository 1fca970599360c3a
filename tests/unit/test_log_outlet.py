"""Lines go out whole and in order, or wait, or are counted: nobody who does not read holds the writer up."""

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from vda5050 import logs
from vda5050.log_outlet import MAX_WAITING_BYTES, Outlet


class Pipe:
    """A pipe: its `stream` to write to, as stderr is where somebody else keeps the log."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        self.stream: TextIO = os.fdopen(writer, "w")

    def read(self) -> bytes:
        """Give all that is in it."""
        text = b""
        try:
            while data := os.read(self._reader, 65_536):
                text += data
        except BlockingIOError:
            pass
        return text

    def close_reader(self) -> None:
        """Be gone for good."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def close(self) -> None:
        self.stream.close()
        self.close_reader()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Make a pipe that nobody reads unless the test does."""
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def outlet(pipe: Pipe) -> Iterator[Outlet]:
    """Write to it."""
    outlet = Outlet(pipe.stream)
    yield outlet
    outlet.close()


def line(number: int) -> str:
    """Give a line that is longer than a pipe takes at once."""
    return f"{number:06}" + "x" * 5_000


def read_on(pipe: Pipe, outlet: Outlet) -> list[str]:
    """Read all that is in the pipe and all that waits; give the lines."""
    text = pipe.read()
    while outlet.is_waiting:
        outlet.flush()
        text += pipe.read()
    return text.decode().splitlines()


def test_what_nobody_reads_waits(pipe: Pipe, outlet: Outlet) -> None:
    """What a full pipe has no room for comes when there is room again, each line whole, in order."""
    for number in range(100):
        outlet.put(line(number))
    assert outlet.is_waiting

    assert read_on(pipe, outlet) == [line(number) for number in range(100)]
    assert outlet.lost == 0


def test_beyond_the_bound_lines_are_lost(pipe: Pipe, outlet: Outlet) -> None:
    """What waits is bounded; the newest lines are lost, and counted."""
    count = 2 * MAX_WAITING_BYTES // 5_000
    for number in range(count):
        outlet.put(line(number))

    numbers = [int(text[:6]) for text in read_on(pipe, outlet)]
    assert numbers == list(range(len(numbers)))
    assert outlet.lost == count - len(numbers) > 0


def test_reader_is_gone(pipe: Pipe, outlet: Outlet) -> None:
    """Where nobody will ever read, lines are lost at once, and none waits."""
    pipe.close_reader()
    outlet.put("a")
    outlet.put("b")

    assert (outlet.lost, outlet.is_waiting) == (2, False)


def test_after_the_end(pipe: Pipe, outlet: Outlet) -> None:
    """What comes after `close` is lost, and goes to no descriptor that got the number meanwhile."""
    outlet.close()
    outlet.put("a")

    assert (outlet.lost, pipe.read()) == (1, b"")


def test_shared_file_stays_as_it_is(pipe: Pipe, outlet: Outlet) -> None:
    """Other processes write to the same pipe: for them a write waits as before."""
    outlet.put("a")

    assert os.get_blocking(pipe.stream.fileno())
    assert pipe.read() == b"a\n"


def test_file(tmp_path: Path) -> None:
    """A file is written where it stands, after what others have written to it."""
    with (tmp_path / "log").open("a") as stream:
        stream.write("theirs\n")
        stream.flush()
        outlet = Outlet(stream)
        outlet.put("ours \ud800")
        outlet.close()

    assert (tmp_path / "log").read_text() == "theirs\nours \\ud800\n"


def test_no_file_at_all() -> None:
    """A stream without a descriptor does as well."""
    stream = io.StringIO()
    Outlet(stream).put("ä")

    assert stream.getvalue() == "ä\n"


def test_a_fork_writes_nothing_twice(pipe: Pipe, outlet: Outlet) -> None:
    """What waits in the parent is not written by its child as well."""
    for number in range(100):
        outlet.put(line(number))
    read = pipe.read()
    child = os.fork()
    if child == 0:
        outlet.flush()
        outlet.put("the child")
        os._exit(0)
    os.waitpid(child, 0)

    assert pipe.read() == b"the child\n"
    outlet.flush()
    assert (read + pipe.read()).decode().startswith(line(0))


def test_loss_is_told(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says how many lines were lost once it is read again, and the process how many it were in all."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure(level="info", format_="json", secrets=(), stream=pipe.stream)
    log = logs.get_logger("vda5050.test")
    while logs.lost_lines() < 3:
        log.info("x", text="y" * 900)
    lost = logs.lost_lines()
    read = pipe.read()
    logs.write_waiting()
    while more := pipe.read():
        read += more
        logs.write_waiting()
    assert b"were lost" not in read
    log.info("read again")
    log.info("and again")

    told = pipe.read().decode().splitlines()
    assert [text for text in told if f'"lines": {lost}' in text] == [text for text in told if "were lost" in text]
    assert len(told) == 3
    for handler in logging.getLogger().handlers:
        handler.close()
