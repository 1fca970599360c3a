"""`/static`: the pages' files as they are sent: without comments and needless blanks, compressed where wanted.

There is no build step: a script or style sheet is a file of its own, with its comments, and is stripped when it is
first asked for. Each line of a script keeps its number, so that what a browser reports is found in the source. A line
is a comment where it begins as one; to keep that simple, no text in these files spans lines (a test sees to it).

Anybody may ask, for any name: what is kept goes by the files that there are, and never by how one is asked for.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request

_STATIC = Path(__file__).parent / "static"
_COMMENT_AT_END = re.compile(r"(?<=[;,{])\s+// [^\"'`]*$")
_TEXT = re.compile(r"""("[^"\\]*"|'[^'"`\\]*'|`(?:[^'"`$\\]|\$(?!\{)|\$\{[^'"`{}\\]*\})*`)""")
"""A text without escapes, and in other than double quotes without another text in it."""
_MAY_HIDE_TEXT = re.compile(r"""["'`/\\]""")
"""Beside such texts: quotes of other ones, regular expressions, escapes."""
_BLANKS = {
    ".css": re.compile(r" ?([{};,]) ?|(?<=\w)(:) "),
    ".js": re.compile(r" ?([=<>&|?:,;(){}\[\]%!]) ?| ([*+-]) (?![+-])"),
}
_NEEDLESS_END = re.compile(r"(?<=[;,{}\n])\n+|^\n+")
"""The end of a line of a style sheet that means nothing."""
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A script or style sheet as it is sent."""

    body: bytes
    compressed: bytes
    etag: str
    content_type: str


def register(app: Flask) -> None:
    """Serve scripts and style sheets stripped; every other file as it is."""
    names = {path.relative_to(_STATIC).as_posix() for path in _STATIC.rglob("*") if path.suffix in _TYPES}
    assets: dict[str, Asset] = {}

    def static(filename: str) -> Response:
        """Send a file of `static/`; the browser asks each time whether the one it has is still right."""
        if filename not in names:  # css//theme.css is that file too, and would be kept once more
            return app.send_static_file(filename)
        if filename not in assets:
            assets[filename] = _load(_STATIC / filename)
        return _send(assets[filename])

    app.view_functions["static"] = static


def stripped(source: str, kind: str = ".js") -> str:
    """Leave out comments, indentation, and blanks beside signs; a script's lines stay where they are.

    `kind`: .js or .css.
    """
    text = "\n".join(_tight(line, _BLANKS[kind]) for line in _lines(source)) + "\n"
    return _NEEDLESS_END.sub("", text).replace(";}", "}") if kind == ".css" else text


def _lines(source: str) -> Iterator[str]:
    is_comment = False
    for line in source.splitlines():
        text = line.strip()
        if is_comment or text.startswith("/*"):
            _comment, end, rest = text.partition("*/")
            is_comment = not end
            yield rest.strip()
        else:
            yield "" if text.startswith("//") else text


def _tight(line: str, blanks: re.Pattern[str]) -> str:
    """Leave out blanks beside signs that need none, outside texts; a line that may hold other than plain texts stays.

    `a + ++b` needs its blanks.
    """
    line = _COMMENT_AT_END.sub("", line)
    parts = _TEXT.split(line)
    if any(map(_MAY_HIDE_TEXT.search, parts[::2])):
        return line
    parts[::2] = [blanks.sub(_sign, part) for part in parts[::2]]
    return "".join(parts)


def _sign(found: re.Match[str]) -> str:
    return next(sign for sign in found.groups() if sign)


def _load(path: Path) -> Asset:
    body = stripped(path.read_text(), path.suffix).encode()
    etag = hashlib.sha256(body).hexdigest()[:24]
    return Asset(body, gzip.compress(body, mtime=0), etag, _TYPES[path.suffix])


def _send(asset: Asset) -> Response:
    is_compressed = request.accept_encodings["gzip"] > 0
    response = Response(asset.compressed if is_compressed else asset.body, content_type=asset.content_type)
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(f"{asset.etag}{'-gzip' if is_compressed else ''}")
    response.make_conditional(request)
    return response
