"""`/static`: each file is kept once, whatever it is asked for by, and what is none is not there."""

from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient

from vda5050.api import assets

SPELLINGS = ["css/theme.css", "css/././theme.css", "css//theme.css", "js/../css/theme.css", "./css/theme.css"]


def test_a_file_is_kept_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ways to write one address, which anybody may think of, take no memory each."""
    made = Mock(side_effect=assets.Asset)
    monkeypatch.setattr(assets, "Asset", made)

    for name in SPELLINGS * 2:
        client.get(f"/static/{name}").close()

    assert made.call_count == 1


def test_a_file_comes_without_comments(client: FlaskClient) -> None:
    """A script or style sheet is sent stripped, to whom takes that compressed."""
    plain = client.get("/static/js/worker.js")
    packed = client.get("/static/js/worker.js", headers={"Accept-Encoding": "gzip"})

    assert (plain.status_code, b"/*" in plain.data) == (200, False)
    assert (packed.headers["Content-Encoding"], len(packed.data) < len(plain.data)) == ("gzip", True)


@pytest.mark.parametrize(
    "name", ["%00.css", "a%00.svg", "a" * 300 + ".js", "css", "css/", "js/none.js", "../assets.py", "%2e%2e/assets.py"]
)
def test_what_is_no_file_is_not_there(client: FlaskClient, name: str) -> None:
    """Names that no file can have are answered as those that none has: nobody can make the gateway fail."""
    answer = client.get(f"/static/{name}")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
