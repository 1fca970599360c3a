"""One line an event, for people or machines; nothing forged, nothing secret, nothing endless."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from vda5050 import logs
from vda5050.database.engines import make_engine

SECRET = "hunter-22/x"
HOSTILE = [
    "\n2026-11-23T00:00:00.000Z [critical ] all robots stopped",
    "\r\nforged",
    "\x1b[2J\x1b[31mred",
    "\x9b31mred",
    "\u2028separated",
    "\u202egnirts",
    "\0",
    "\x08\x08\x08gone",
    "\ud800",
    "a\x7fb",
]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave the root logger as it was."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def written(format_: str, say: Callable[[], object], *, level: str = "debug", stream: io.StringIO | None = None) -> str:
    """Configure the log, say something, and give what was written."""
    stream = stream or io.StringIO()
    logs.configure(level=level, format_=format_, secrets={SECRET}, stream=stream)
    say()
    return stream.getvalue()


def line_of(say: Callable[[], object]) -> dict[str, Any]:
    """Give the one JSON line that was written."""
    (line,) = written("json", say).splitlines()
    fields: dict[str, Any] = json.loads(line)
    return fields


log = logs.get_logger("vda5050.test")


def test_own_event() -> None:
    """An event has when, how grave, who, what and which process, then its facts as fields."""
    line = line_of(lambda: log.warning("no link", broker="mqtt://b:1883", tries=3, topics=("a", "b")))

    assert list(line) == ["timestamp", "level", "logger", "event", "pid", "broker", "tries", "topics"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    assert (line["level"], line["logger"], line["event"]) == ("warning", "vda5050.test", "no link")
    assert (line["tries"], line["topics"]) == (3, ["a", "b"])


@pytest.mark.parametrize("name", ["gunicorn.error", "paho", "werkzeug", "sqlalchemy.pool"])
def test_other_libraries(name: str) -> None:
    """What a library logs is a line of the same shape, its level and logger kept."""
    line = line_of(lambda: logging.getLogger(name).warning("Booting worker with pid: %s", 7))

    assert list(line) == ["timestamp", "level", "logger", "event", "pid"]
    assert (line["level"], line["logger"]) == ("warning", name)
    assert line["event"] == "Booting worker with pid: 7"


def test_level() -> None:
    """What is below the level is not written, whoever says it."""

    def say() -> None:
        log.info("a")
        logging.getLogger("b").info("b")
        log.warning("c")

    said = written("json", say, level="warning")

    assert [json.loads(line)["event"] for line in said.splitlines()] == ["c"]


def test_sql_stays_out() -> None:
    """SQL and its parameters are not written at any level that the settings know."""
    assert written("json", lambda: logging.getLogger("sqlalchemy.engine.Engine").info("INSERT ... %r", ("x",))) == ""


@pytest.mark.parametrize(
    ("format_", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("console", io.StringIO(), False),
        ("json", Terminal(), True),
    ],
)
def test_format(format_: str, stream: io.StringIO, *, is_json: bool) -> None:
    """People at a terminal get lines with colours, files and pipes get JSON; each can be asked for."""
    said = written(format_, lambda: log.info("hello", n=1), stream=stream)

    assert said.startswith("{") == is_json
    assert ("\x1b[" in said) == (stream.isatty() and not is_json)


def test_configured_twice() -> None:
    """Configured again, as at a reload, a line is still written once."""
    logs.configure(level="info", format_="json", secrets=(), stream=io.StringIO())

    assert len(written("json", lambda: log.info("once")).splitlines()) == 1


@pytest.mark.parametrize("format_", ["console", "json"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text(format_: str, text: str) -> None:
    """Whatever a stranger wrote, as fact, in an event or as another library's argument, is one harmless line."""
    for say in (
        lambda: log.warning("rejected", topic=text),
        lambda: log.warning("rejected", facts={text: [text]}),
        lambda: log.warning(text),
        lambda: logging.getLogger("gunicorn.error").warning("Invalid request: %s", text),
    ):
        said = written(format_, say)
        assert said.count("\n") == 1
        assert said.endswith("\n")
        assert said.rstrip("\n").isprintable()


@given(st.text(), st.sampled_from(["console", "json"]))
def test_any_text(text: str, format_: str) -> None:
    """Any text at all is one line."""
    assert len(written(format_, lambda: log.warning("x", text=text, error=ValueError(text))).splitlines()) == 1


def fail(text: str) -> None:
    """Log an exception whose text comes from a stranger."""
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("a message could not be judged")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_exception(text: str) -> None:
    """A stack has lines, but none that begins as a line of the log does; in JSON it is a field."""
    said = written("console", lambda: fail(text)).splitlines()

    assert all(line.startswith("    | ") for line in said[1:])
    assert all(line.isprintable() for line in said)
    assert "ValueError" in line_of(lambda: fail(text))["exception"]


@pytest.mark.parametrize("format_", ["console", "json"])
def test_secrets(format_: str) -> None:
    """A secret of the settings and the password of any URL are taken out, wherever they stand."""
    urls = [
        "mqtt://me:pa55word@h:1883",
        "postgresql+psycopg://me:pa55word@h/db",
        "redis://:pa55word@h",
        "amqp://u:pa55/word@h",
    ]

    def say() -> None:
        log.info(SECRET, a=SECRET, b=[f"x{SECRET}y"], c={SECRET: SECRET}, d=ValueError(SECRET), urls=urls)
        logging.getLogger("sqlalchemy").warning("could not connect to %s with %s", urls[1], SECRET)
        fail(f"{SECRET} {urls[3]}")

    said = written(format_, say)

    assert len(said.splitlines()) >= 3
    assert not any(word in said for word in ("hunter", "pa55", "word@"))
    assert "mqtt://***@h:1883" in said


def test_values_in_errors_of_sql() -> None:
    """What a database says of a statement that failed does not bring the values of its row."""
    payload = "geheim-1"
    plain, ours = create_engine("sqlite://"), make_engine(make_url("sqlite://"))
    for engine in (plain, ours):
        with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
            connection.execute(text("INSERT INTO nowhere VALUES (:payload)"), {"payload": payload})
        line = line_of(lambda: log.error("refused", error=caught.value, exc_info=caught.value))
        assert "INSERT INTO nowhere" in line["exception"]
        assert "geheim" not in str(line)
        assert ("geheim" in str(caught.value)) == (engine is plain)
    of_postgresql = "violation\nDETAIL:  Failing row contains (1, geheim-2).\nCONTEXT:  COPY m, line 1: geheim-3"

    assert "geheim" not in str(line_of(lambda: log.error("refused", error=ValueError(of_postgresql))))
    assert "ValueError: violation" in str(line_of(lambda: fail(of_postgresql)))
    assert "geheim" not in str(line_of(lambda: fail(of_postgresql)))


def test_payloads() -> None:
    """Bytes that are handed to the log by mistake are told by their number alone."""
    assert line_of(lambda: log.info("x", payload=b"geheim", members=[bytearray(b"ab")])) | {"timestamp": ""} == {
        **line_of(lambda: log.info("x", payload="<6 bytes>", members=["<2 bytes>"])),
        "timestamp": "",
    }


def test_endless_text() -> None:
    """A text is cut at a bounded length."""
    assert len(written("json", lambda: log.info("x", topic="y" * 1_000_000))) < 2 * logs.MAX_TEXT_CHARS


def test_budget() -> None:
    """So many a second pass; the next that does tells how many did not."""
    now = 100.0
    budget = logs.Budget(2, lambda: now)
    first = [budget.take() for _ in range(5)]
    now += 1

    assert first == [0, 0, None, None, None]
    assert [budget.take(), budget.take(), budget.take()] == [3, 0, None]
