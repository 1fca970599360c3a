"""`/replay`: what happened, once more, as an event stream at its pace or faster (see `history.replay`).

As a stream's, its client is watched: who drags a slider leaves many replays behind, and each would stay among
MAX_REPLAYS until its next write.
"""

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import gevent
from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.clients import place_in
from vda5050.api.history import asked_stretch, turned_off
from vda5050.api.replies import accepted_wire, as_event_stream, headers_alone
from vda5050.api_keys import Principal
from vda5050.broadcast import Filter, Peer, Places
from vda5050.errors import DatabaseUnavailable, FilterError
from vda5050.frames import Wire, encode_opening, encode_retry
from vda5050.history import END_ID, History, Player, Stretch, read_event_id
from vda5050.history.stretch import MICROSECONDS
from vda5050.logs import get_logger
from vda5050.service import Service

log = get_logger(__name__)

MAX_SPEED = 10_000.0
MAX_REPLAYS, MAX_REPLAYS_OF_CLIENT = 50, 20
"""Replays a worker plays at a time; each asks the database, which a stream does not. A page that plays takes two."""
RETRY_MS = 3_000


def create_blueprint(service: Service) -> Blueprint:
    """Build the route for a service."""
    blueprint = Blueprint("replay", __name__)
    replays = _Replays(service)

    @blueprint.get("/replay")
    def replay() -> Response:
        """Play a stretch. Raises FilterError, TooManyStreams, DatabaseUnavailable."""
        kept = service.history
        return turned_off() if kept is None else replays.open(kept)

    return blueprint


class _Replays:
    """The replays that this worker plays."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._places = Places(max_streams=MAX_REPLAYS, max_of_client=MAX_REPLAYS_OF_CLIENT, what="replays")

    def open(self, kept: History) -> Response:
        """Begin one, or go on with one. Raises FilterError, TooManyStreams, DatabaseUnavailable."""
        event_id = request.headers.get("Last-Event-ID") or request.args.get("last_event_id", "")
        stretch = _asked_past()
        asked = _asked_pace()
        if event_id == END_ID:
            return Response(status=204)  # tells an EventSource that there is nothing to come back for
        wire = accepted_wire()
        if request.method == "HEAD":
            return as_event_stream(headers_alone(), wire)
        who, listener = principal(), _Listener(request.environ.get("gunicorn.socket"))
        player = self._player(kept, asked, wire, lambda: listener.is_gone or self._must_end(who))
        chunks = player.play(stretch, after_us=read_event_id(event_id))
        return as_event_stream(self._begun(chunks, wire, listener), wire)

    def _begun(self, chunks: Iterator[bytes], wire: Wire, listener: "_Listener") -> Response:
        """Read the first chunk, so that an error is answered as one; the place is free when the answer is closed."""
        with place_in(self._places) as held:
            response = Response(self._written(chunks, next(chunks), wire, listener))
            response.call_on_close(held.pop_all().close)
        return response

    def _player(self, kept: History, asked: "_Pace", wire: Wire, is_over: Callable[[], bool]) -> Player:
        settings = self._service.settings
        return Player(
            reader=kept.reader,
            speed=asked.speed,
            as_view=asked.as_view,
            interval_s=asked.interval_s,
            wire=wire,
            stale_after_s=settings.stale_after_s,
            heartbeat_s=settings.heartbeat_s,
            clock=time.monotonic,
            sleep=gevent.sleep,
            is_over=is_over,
        )

    def _must_end(self, who: Principal) -> bool:
        """Tell whether this worker stops, or the key of the client is no longer valid."""
        service = self._service
        return service.is_stopping or not (service.is_running and service.keys.is_current(who))

    def _written(self, chunks: Iterator[bytes], first: bytes, wire: Wire, listener: "_Listener") -> Iterator[bytes]:
        """Give what a client is written, to the end of the replay or until it has gone."""
        try:
            listener.watch()
            yield encode_opening(wire, RETRY_MS) + first
            yield from chunks
            yield encode_retry(wire, RETRY_MS)
        except DatabaseUnavailable as error:
            log.warning("a replay ended early", problem=error.reason)
        finally:
            listener.close()
        if listener.is_out_of_step:
            raise BrokenPipeError(errno.EPIPE, "the client sent what was dropped")


class _Listener:
    """The client of a replay: who has gone is noticed at once, where the server gives its socket."""

    def __init__(self, sock: Any) -> None:
        self.is_gone = False
        self._sock = sock
        self._peer: Peer | None = None

    @property
    def is_out_of_step(self) -> bool:
        """True where the connection is of no use for another request (see `Peer`)."""
        return self._peer is not None and self._peer.has_dropped

    def watch(self) -> None:
        if self._sock is None:
            return
        try:
            self._peer = Peer(self._sock, on_gone=self._left)
        except ValueError:  # closed already
            self._left()

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()

    def _left(self) -> None:
        self.is_gone = True


class _Pace(NamedTuple):
    """How a replay is asked for."""

    speed: float
    as_view: bool
    interval_s: float


def _asked_past() -> Stretch:
    """Read what to play: until now at most, for nobody can play what is to come. Raises FilterError."""
    now_us = int(time.time() * MICROSECONDS)
    stretch = asked_stretch(default_start_us=None, default_end_us=now_us)
    return replace(stretch, end_us=max(stretch.start_us, min(stretch.end_us, now_us)))


def _asked_pace() -> _Pace:
    """Read `speed`, `view` and `interval`. Raises FilterError."""
    as_streams_have = Filter.parse(view=request.args.get("view", ""), interval=request.args.get("interval", ""))
    if as_streams_have.interval_s and not as_streams_have.as_view:
        raise FilterError("interval", "only with view=1: every message counts")
    return _Pace(_asked_speed(), as_streams_have.as_view, as_streams_have.interval_s)


def _asked_speed() -> float:
    text = request.args.get("speed", "1")
    try:
        speed = float(text[:20])
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= MAX_SPEED:
        raise FilterError("speed", f"must be 0.01 to {MAX_SPEED:g}: how many times as fast as it happened")
    return speed
