"""Every log line of the process, whoever wrote it: a line for people or a JSON object for machines.

Takes events with facts from `get_logger` and the records of other libraries (gunicorn, paho, SQLAlchemy, gevent),
gives one line each with the same fields: timestamp (ISO 8601, UTC), level, logger, event, pid, what is bound to the
request (`request_id`), then the facts. All pass through `logging`'s root logger, so there is one handler and one level.

What a stranger wrote (a topic, a path, a header in an error) cannot forge a line or drive a terminal: control
characters, line breaks and marks that turn the writing direction are escaped, a stack is indented. What is secret is
taken out here as well, whatever brought it: the secrets of the settings, by value, API keys, user and password of any
URL, and the values in errors of SQL. It is the second lock: payloads, keys and passwords are not handed to the log.

`get_logger` has no effect on the process; `configure` has, and runs once in each process that serves.
"""

import json
import logging
import re
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor

from vda5050.log_outlet import Outlet

FORMATS = ("auto", "console", "json")
MAX_TEXT_CHARS = 1_000
MAX_STACK_CHARS = 20_000
MIN_SECRET_CHARS = 4
"""A shorter password keeps nobody out, and hiding it would make every line unreadable."""
_HIDDEN = "***"
_API_KEY = re.compile(r"vda5050_[a-z0-9]{10}_[A-Za-z0-9_-]{43}")
_URL_USER = re.compile(r"(?<=://)[^\s/?#@]*(?:@|:[^\s@]*@)")
"""User and password of a URL, also where the password has a `/` in it that should have been percent-encoded."""
_FIRST_FIELDS = ("timestamp", "level", "logger", "event", "pid", "request_id")
_OWN_FIELDS = ("timestamp", "level", "logger", "pid")
# C0, DEL, C1; zero width and direction marks; line and paragraph separators; halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SQL_VALUES = re.compile(r"\[parameters: .*|^(?:DETAIL|CONTEXT): .*", re.MULTILINE)
"""What SQLAlchemy and PostgreSQL add to an error: the values of the row that it is about."""
_QUIET_LOGGERS = ("sqlalchemy", "alembic.runtime.plugins")
"""They write SQL with its parameters, which are payloads, at a level that people turn on to see something else."""


def get_logger(name: str) -> BoundLogger:
    """Give the logger of a module: `log.info("connected", broker=url)`; facts are named, never put into the event."""
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    return logger


def configure(*, level: str, format_: str, secrets: Collection[str], stream: TextIO | None = None) -> None:
    """Send every record of the process to `stream` (stderr). May be called again; the last call holds.

    `format_`: `console`, `json`, or `auto` for console on a terminal and JSON elsewhere. `secrets` never show.
    """
    handler = _Handler(stream or sys.stderr)
    is_terminal = (stream or sys.stderr).isatty()
    is_json = format_ == "json" or (format_ == "auto" and not is_terminal)
    handler.setFormatter(_formatter(is_json=is_json, has_colours=is_terminal, clean=_Cleaner(secrets)))
    root = logging.getLogger()
    for former in _handlers():
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


def write_waiting() -> None:
    """Write what nobody read so far, where there is room for it now. To be called every second or so."""
    for handler in _handlers():
        handler.flush()


def lost_lines() -> int:
    """Give how many lines this process could not write since `configure`."""
    return sum(handler.lost for handler in _handlers())


def _handlers() -> "list[_Handler]":
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, _Handler)]


class _Handler(logging.Handler):
    """Ours: it never waits (see `log_outlet`), and when lines are read again says how many were lost before."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._outlet = Outlet(stream)
        self._told = 0

    @property
    def lost(self) -> int:
        return self._outlet.lost

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers do: a line that cannot be written fails nobody
            self.handleError(record)
            return
        lost = self.lost
        self._outlet.put(line)
        if self._told < lost == self.lost and not self._outlet.is_waiting:
            untold, self._told = lost - self._told, lost
            get_logger(__name__).error("lines of the log were lost, for nobody read it", lines=untold)

    def flush(self) -> None:
        self.acquire()
        try:
            self._outlet.flush()
        finally:
            self.release()

    def close(self) -> None:
        self._outlet.close()
        super().close()


class Clock(Protocol):
    """Monotonic seconds."""

    def __call__(self) -> float: ...


class Budget:
    """Lets through `per_second` events a second and counts the others: for lines that many clients cause together."""

    def __init__(self, per_second: int, clock: Clock) -> None:
        self._per_second = per_second
        self._clock = clock
        self._second = 0
        self._spent = 0
        self._left_out = 0

    def take(self) -> int | None:
        """Give None where the event is one too many, else how many were since the last one that was let through."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._spent = second, 0
        if self._spent >= self._per_second:
            self._left_out += 1
            return None
        self._spent += 1
        left_out, self._left_out = self._left_out, 0
        return left_out


def escape(text: str) -> str:
    """Write what would not be seen, or would be obeyed, as Python's source would: a line break as backslash and n."""
    return _UNPRINTABLE.sub(lambda match: repr(match.group())[1:-1], text)


class _Cleaner:
    """The last processor before the renderer: no secret, nothing unprintable, nothing endless."""

    def __init__(self, secrets: Collection[str]) -> None:
        longest_first = sorted((text for text in secrets if len(text) >= MIN_SECRET_CHARS), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        stack = "\n".join(str(event.pop(key)) for key in ("stack", "exception") if event.get(key))
        event.pop("stack", None)
        event.pop("exception", None)
        cleaned = {name: value if name in _OWN_FIELDS else self._clean(value) for name, value in event.items()}
        if stack:
            cleaned["exception"] = "\n".join(escape(line) for line in self._hide(stack)[-MAX_STACK_CHARS:].split("\n"))
        return cleaned

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"<{len(value)} bytes>"
        if isinstance(value, Mapping):
            return {str(self._clean(key)): self._clean(member) for key, member in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._clean(member) for member in value]
        text = str(value) if isinstance(value, (str, BaseException)) else repr(value)
        text = escape(self._hide(text))
        return text if len(text) <= MAX_TEXT_CHARS else f"{text[:MAX_TEXT_CHARS]}... ({len(text)} characters)"

    def _hide(self, text: str) -> str:
        if "[parameters" in text or "DETAIL" in text or "CONTEXT" in text:
            text = _SQL_VALUES.sub(_HIDDEN, text)
        if self._secrets is not None:
            text = self._secrets.sub(_HIDDEN, text)
        if "vda5050_" in text:
            text = _API_KEY.sub(_HIDDEN, text)
        return _URL_USER.sub(f"{_HIDDEN}@", text) if "://" in text else text


def _formatter(*, is_json: bool, has_colours: bool, clean: Processor) -> ProcessorFormatter:
    console = structlog.dev.ConsoleRenderer(colors=has_colours, sort_keys=False)
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
        ],
        processors=[
            _stamp,
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            clean,
            *([_json_line] if is_json else [_indent_stack, console]),
        ],
    )


def _stamp(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Add when and in which process, and put the fields that every line has first."""
    record: logging.LogRecord = event["_record"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    event["timestamp"] = at.replace("+00:00", "Z")
    event["pid"] = record.process
    first = {name: event.pop(name) for name in _FIRST_FIELDS if name in event}
    return {**first, **event}


def _json_line(_logger: Any, _method: str, event: EventDict) -> str:
    return json.dumps(event)  # ASCII only, so that a log on a terminal is as harmless as one in a file


def _indent_stack(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if stack := event.get("exception"):
        event["exception"] = "    | " + stack.replace("\n", "\n    | ")
    return event
