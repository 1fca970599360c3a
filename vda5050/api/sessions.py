"""The cookie that stands for a key in a browser: signed, short-lived, bound to the key.

It holds the key's public id, when it was given and when its owner logged in, signed by a secret that all instances
share; neither the key nor its hash. HttpOnly: no script reads it. SameSite=Lax: it comes with links from elsewhere, but
not with another site's forms and scripts. It is good for IDLE_S, renewed by use, and for MAX_S after the login at most;
and never longer than the key, which is asked for with every request. Over https it is Secure and `__Host-`, so that no
neighbouring domain and no plain http can set it.

Nothing is kept of it here: logging out takes it from the browser, and revoking the key ends every copy.
"""

from typing import Final

from flask import Response, g, request
from itsdangerous import BadData, URLSafeTimedSerializer

from vda5050.api_keys import KeyRing, Principal

IDLE_S: Final = 12 * 3600
RENEW_AFTER_S: Final = 900
MAX_S: Final = 7 * 86_400
COOKIE = "vda5050_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
_SALT = "vda5050.session.1"


class Sessions:
    """Gives cookies and reads them."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def principal(self) -> Principal | None:
        """Give who the request's cookie stands for; None where there is none, or its key is no longer valid."""
        content = self._read()
        if content is None:
            return None
        key_id, _began_at, _given_at = content
        return self._keys.by_id(key_id)

    def begin(self, response: Response, principal: Principal) -> bool:
        """Give a cookie with `response`; False while there is no secret to sign it with."""
        return self._give(response, principal, self._keys.now())

    def renew(self, response: Response) -> Response:
        """Give a new cookie with `response` to who used one that is no longer fresh; never where caches share it."""
        content = self._read() if g.get("is_by_cookie") and not response.cache_control.public else None
        if content is not None and self._keys.now() - content[2] > RENEW_AFTER_S:
            self._give(response, g.principal, content[1])
        return response

    @staticmethod
    def end(response: Response) -> None:
        """Take the cookie away."""
        response.delete_cookie(_cookie(), path="/", secure=request.is_secure, httponly=True, samesite="Lax")

    def _serializer(self) -> URLSafeTimedSerializer | None:
        secret = self._keys.session_secret
        return None if secret is None else URLSafeTimedSerializer(secret, salt=_SALT)

    def _read(self) -> tuple[str, float, float] | None:
        """Read the cookie: key id, when the session began, when the cookie was given."""
        text, serializer = request.cookies.get(_cookie()), self._serializer()
        if not text or len(text) > 512 or serializer is None:
            return None
        try:
            (key_id, began_at), given = serializer.loads(text, max_age=IDLE_S, return_timestamp=True)
        except (BadData, ValueError, TypeError):
            return None
        if self._keys.now() - began_at > MAX_S:
            return None
        return key_id, began_at, given.timestamp()

    def _give(self, response: Response, principal: Principal, began_at: float) -> bool:
        serializer = self._serializer()
        if serializer is None:
            return False
        text = serializer.dumps([principal.key_id, int(began_at)])
        response.set_cookie(
            _cookie(), text, max_age=IDLE_S, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
        )
        return True


def _cookie() -> str:
    return SECURE_COOKIE if request.is_secure else COOKIE
