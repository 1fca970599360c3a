"""A parcel for many sockets: whole frames in order, whatever each socket takes, from the file as from memory."""

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.broadcast import EVERYTHING, Delivery, Parcel, SocketWriter, StreamEnded, Subscription
from vda5050.broadcast.delivery import FILE_BYTES, FILE_CLIENTS
from vda5050.broadcast.parcel import PIECE_BYTES
from vda5050.frames import Wire

PIPE_BYTES = 4_096


class NarrowSocket:
    """A socket that takes of each write only what `rooms` says, and everything once that is used up."""

    def __init__(self, rooms: Sequence[int] = ()) -> None:
        self.got = b""
        self._rooms = list(rooms)

    def fileno(self) -> int:
        """No descriptor: nothing may be sent from a file."""
        raise AssertionError

    def sendmsg(self, parts: Sequence[bytes], _ancdata: Sequence[Any] = (), flags: int = 0, /) -> int:
        """Take what there is room for; without any, refuse where the caller does not wait."""
        data = b"".join(parts)
        room = self._rooms.pop(0) if self._rooms else len(data)
        if not room and flags:
            raise BlockingIOError
        self.got += data[:room]
        return min(room, len(data))

    def sendall(self, data: memoryview, /) -> None:
        """Take everything, however long that takes."""
        self.got += data


class GoneSocket(NarrowSocket):
    """A socket whose other end has closed."""

    def sendmsg(self, _parts: Sequence[bytes], _ancdata: Sequence[Any] = (), _flags: int = 0, /) -> int:
        """Refuse."""
        raise BrokenPipeError

    def sendall(self, _data: memoryview, /) -> None:
        """Refuse."""
        raise BrokenPipeError


class Pipe(NarrowSocket):
    """A descriptor of the kernel's that takes PIPE_BYTES without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.reader, self._writer = os.pipe2(os.O_NONBLOCK)
        fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def fileno(self) -> int:
        """Give what is written to."""
        return self._writer

    def sendall(self, data: memoryview, /) -> None:
        """Take everything: what the kernel has goes before it."""
        self.drain()
        super().sendall(data)

    def drain(self) -> None:
        """Read what the kernel has taken."""
        with suppress(BlockingIOError):  # it is empty
            self.got += os.read(self.reader, 1_000_000)

    def close(self) -> None:
        """Give both ends back."""
        os.close(self.reader)
        os.close(self._writer)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Give a pipe."""
    made = Pipe()
    yield made
    made.close()


def frame(data: bytes, wire: Wire) -> bytes:
    """Give what has to go over the wire."""
    return data if wire is Wire.WEBSOCKET else b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("wire", list(Wire))
@given(first=st.binary(min_size=1, max_size=50), second=st.binary(max_size=50), rooms=st.lists(st.integers(0, 60)))
def test_frames_are_whole_however_little_the_socket_takes(
    wire: Wire, first: bytes, second: bytes, rooms: list[int]
) -> None:
    """A parcel is one frame; what the socket did not take comes before the next one."""
    sock = NarrowSocket(rooms)
    writer = SocketWriter(sock, wire)

    with Delivery(Parcel.of(first), wire, clients=1) as delivery:
        is_whole = writer.write_now(delivery)
    assert is_whole == (sock.got == frame(first, wire))
    writer.write(second)

    assert sock.got == frame(first, wire) + (frame(second, wire) if second else b"")


@pytest.mark.parametrize("wire", list(Wire))
@pytest.mark.parametrize("size", [FILE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_large_parcel_comes_from_a_file(pipe: Pipe, wire: Wire, size: int) -> None:
    """A large parcel for many is sent from a file, the rest from memory: together the same bytes."""
    data = os.urandom(size)
    writer = SocketWriter(pipe, wire)

    with Delivery(Parcel.of(data), wire, clients=FILE_CLIENTS) as delivery:
        assert not writer.write_now(delivery)
    writer.write(b"")

    assert pipe.got == frame(data, wire)


def test_file_outlives_its_delivery_in_the_kernel(pipe: Pipe) -> None:
    """What the kernel has taken stays what it was when the file is closed and others were made."""
    datas = [bytes([number]) * FILE_BYTES for number in range(2)]
    with Delivery(Parcel.of(datas[0]), Wire.WEBSOCKET, clients=FILE_CLIENTS) as delivery:
        delivery.send(pipe)
    with Delivery(Parcel.of(datas[1]), Wire.WEBSOCKET, clients=FILE_CLIENTS):
        pipe.drain()

    assert pipe.got == datas[0][:PIPE_BYTES]


def test_file_is_closed_with_its_delivery() -> None:
    """A batch costs a descriptor only as long as it is handed out."""
    before = descriptors()
    with Delivery(Parcel.of(bytes(FILE_BYTES)), Wire.SSE, clients=FILE_CLIENTS):
        during = descriptors()

    assert (during, descriptors()) == (before + 1, before)


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str, result: Callable[..., int]) -> Iterator[None]:
    """Let a system call go wrong."""
    with monkeypatch.context() as patch:
        patch.setattr(os, name, result)
        yield


def descriptors() -> int:
    """Count this process's open descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


def no_descriptor(*_: object) -> int:
    """Fail as a process does that has all the descriptors it may have."""
    raise OSError(errno.EMFILE, "too many open files")


def no_memory(*_: object) -> int:
    """Fail as the kernel does that has no page left."""
    raise OSError(errno.ENOMEM, "no memory")


@pytest.mark.parametrize(
    ("name", "result"), [("memfd_create", no_descriptor), ("writev", lambda *_: 5), ("writev", no_memory)]
)
def test_without_a_file_the_bytes_are_sent(
    monkeypatch: pytest.MonkeyPatch, name: str, result: Callable[..., int]
) -> None:
    """Where no file can be made, or it cannot hold the parcel, each socket is given a copy."""
    sock, data, open_before = NarrowSocket(), bytes(FILE_BYTES), descriptors()
    with (
        failing(monkeypatch, name, result),
        Delivery(Parcel.of(data), Wire.SSE, clients=FILE_CLIENTS) as delivery,
    ):
        assert SocketWriter(sock, Wire.SSE).write_now(delivery)

    assert sock.got == frame(data, Wire.SSE)
    assert descriptors() == open_before


def test_client_that_has_gone() -> None:
    """The flush goes on; the client's own greenlet meets the error."""
    writer = SocketWriter(GoneSocket(), Wire.SSE)

    with Delivery(Parcel.of(b"lost"), Wire.SSE, clients=1) as delivery:
        assert not writer.write_now(delivery)
    with pytest.raises(BrokenPipeError):
        writer.write(b"")


class Served:
    """A subscription with the greenlet that writes it to a socket, as a request has it."""

    def __init__(self, sock: NarrowSocket, *, max_bytes: int = 10_000) -> None:
        self.sock = sock
        self.subscription = Subscription(
            EVERYTHING, Wire.WEBSOCKET, max_bytes=max_bytes, opened_at=0.0, resync=lambda _: [Parcel.of(b"<resync>")]
        )
        self.subscription.writer = SocketWriter(sock, Wire.WEBSOCKET)
        self.last_words: bytes | None = None
        self._greenlet = gevent.spawn(self._run)
        gevent.idle()

    def hand(self, data: bytes) -> None:
        """Hand over a parcel."""
        with Delivery(Parcel.of(data, events=1), Wire.WEBSOCKET, clients=1) as delivery:
            self.subscription.hand(delivery)

    def end(self) -> bytes:
        """End the stream, and give all that was written."""
        self.subscription.end(b"<end>", reason="stopping")
        self._greenlet.join(timeout=5)
        return self.sock.got

    def _run(self) -> None:
        assert self.subscription.writer is not None
        try:
            while True:
                self.subscription.writer.write(self.subscription.take())
        except StreamEnded as ended:
            self.last_words = ended.last_words
        except OSError:
            self.last_words = b"<gone>"


def test_client_that_waits_is_written_to_at_once() -> None:
    """A client that has everything before it is not woken for the next parcel; what it was given is counted."""
    client = Served(NarrowSocket())

    client.hand(b"one ")
    client.hand(b"two ")

    assert client.sock.got == b"one two "
    assert (client.subscription.taken_events, client.subscription.taken_bytes) == (2, 8)
    assert client.subscription.waiting_bytes == 0
    assert client.end() == b"one two "


def test_what_waits_goes_first() -> None:
    """A parcel that is handed over after one that was queued comes after it."""
    client = Served(NarrowSocket())

    client.subscription.put(Parcel.of(b"queued "))
    client.hand(b"handed ")

    assert client.sock.got == b""
    assert client.end() == b"queued handed "


def test_notice_comes_after_what_is_begun() -> None:
    """An answer to the client comes after the parcel that is on the wire in part, and before the next one."""
    client = Served(NarrowSocket([2]))

    client.hand(b"begun ")
    client.hand(b"next ")
    client.subscription.notify(b"<pong> ")

    assert client.end() == b"begun <pong> next "
    assert client.subscription.taken_bytes == len(b"begun <pong> next ")


def test_key_that_is_withdrawn_leaves_no_half_frame() -> None:
    """What is written in part is written to its end before the stream ends, and nothing after it."""
    client = Served(NarrowSocket([2]))

    client.hand(b"begun ")
    client.hand(b"dropped ")
    client.subscription.withdraw(b"<bye>", reason="key")
    client.end()

    assert (client.sock.got, client.last_words) == (b"begun ", b"<bye>")


def test_client_that_left_is_written_nothing() -> None:
    """Whose other end has closed, while something was written in part, is let go without another write."""
    client = Served(NarrowSocket([2]))

    client.hand(b"begun ")
    client.subscription.abandon()
    client.end()

    assert (client.sock.got, client.last_words) == (b"be", b"")
    assert client.subscription.writer is not None
    assert client.subscription.writer.is_unfinished  # so that nobody writes an end into the frame


ACTS = st.sampled_from(["hand", "put", "lag", "notify", "switch"])


@given(acts=st.lists(ACTS, max_size=50), rooms=st.lists(st.integers(0, 6)))
def test_order_is_kept(acts: list[str], rooms: list[int]) -> None:
    """Whatever is handed, queued and dropped, and however little the socket takes: whole parcels, in order.

    Answers to the client come all, in order too, in between.
    """
    client = Served(NarrowSocket(rooms))
    for number, act in enumerate(acts):
        if act == "hand":
            client.hand(b"%04d" % number)
        elif act == "put":
            client.subscription.put(Parcel.of(b"%04d" % number))
        elif act == "lag":
            client.subscription.lag()
        elif act == "notify":
            client.subscription.notify(b"<%d>" % number)
        else:
            gevent.idle()
    text = client.end()
    stretches = re.sub(rb"<\d+>", b"", text).split(b"<resync>")

    numbers = [int(text[at : at + 4]) for text in stretches for at in range(0, len(text), 4)]
    assert numbers == sorted(set(numbers))
    assert all(len(text) % 4 == 0 for text in stretches)
    last_lag = max((number for number, act in enumerate(acts) if act == "lag"), default=-1)
    begins_again = acts.index("switch", last_lag + 1) if last_lag >= 0 and "switch" in acts[last_lag:] else len(acts)
    complete_from = 0 if last_lag < 0 else begins_again
    sent = [number for number, act in enumerate(acts) if act in ("hand", "put") and number >= complete_from]
    assert [number for number in numbers if number >= complete_from] == sent
    assert re.findall(rb"<(\d+)>", text) == [b"%d" % number for number, act in enumerate(acts) if act == "notify"]
