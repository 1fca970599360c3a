"""Behind a proxy: who the client is, by which name and scheme it came, where the proxy may be believed.

A WSGI middleware around the app. `X-Forwarded-*` is believed from a peer in `trusted_proxies` alone and is taken out of
the environ for everybody, so that nothing behind this can read it. Werkzeug's ProxyFix trusts by count: whoever reaches
the gateway past the proxy could call itself anything.

Of `X-Forwarded-For` the last address that is not a trusted proxy is the client: what stands before it, anybody may have
written. `-Proto` and `-Host` are the last one's too, the peer's own.
"""

import re
from collections.abc import Iterable
from typing import Any

from vda5050.addresses import Networks, parse_address

FROM_TRUSTED_PROXY = "vda5050.from_trusted_proxy"
"""In the environ: whether the peer is a proxy whose headers are believed."""
FORWARDED = "vda5050.forwarded"
"""In the environ: whether anybody claims to have forwarded the request, believed or not."""

_FORWARDED = (
    "HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
)  # fmt: skip
_HOST = re.compile(r"[A-Za-z0-9.\[\]:_-]{1,255}", re.ASCII)


class TrustedProxies:
    """The app as it is seen from before the proxies."""

    def __init__(self, app: Any, trusted: Iterable[str]) -> None:
        self._app = app
        self._trusted = Networks(trusted)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Correct the environ, then let the app answer."""
        told = {name: environ.pop(name) for name in _FORWARDED if name in environ}
        is_trusted = environ.get("REMOTE_ADDR", "") in self._trusted
        environ[FROM_TRUSTED_PROXY] = is_trusted
        environ[FORWARDED] = bool(told) or "HTTP_VIA" in environ
        if is_trusted:
            self._believe(environ, told)
        return self._app(environ, start_response)

    def _believe(self, environ: dict[str, Any], told: dict[str, str]) -> None:
        environ["REMOTE_ADDR"] = self._client(told.get("HTTP_X_FORWARDED_FOR", ""), environ.get("REMOTE_ADDR", ""))
        scheme = _last(told.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = _last(told.get("HTTP_X_FORWARDED_HOST", ""))
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _client(self, forwarded_for: str, peer: str) -> str:
        """Walk from the peer towards the client, past trusted proxies; what is no address ends the walk."""
        client = peer
        for text in reversed(forwarded_for.split(",")):
            address = parse_address(text)
            if address is None:
                break
            client = str(address)
            if client not in self._trusted:
                break
        return client


def _last(text: str) -> str:
    return text.rpartition(",")[2].strip()
