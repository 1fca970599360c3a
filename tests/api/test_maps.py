"""/maps: the layouts and floor plans that the page draws under the robots."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.unit.test_site_maps import lif, png
from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings


@pytest.fixture
def hall_client(tmp_path: Path) -> FlaskClient:
    """Give a client of a gateway whose settings name a layout and a floor plan for the map `hall`."""
    (tmp_path / "lif.json").write_bytes(lif())
    (tmp_path / "hall.png").write_bytes(png(40, 30))
    (tmp_path / "plans.json").write_text('{"hall": {"image": "hall.png", "metres_per_pixel": 0.05, "origin_x": -1}}')
    settings = Settings(layout_file=f"{tmp_path}/lif.json", floor_plans_file=f"{tmp_path}/plans.json")
    return create_flask_app(Service(settings)).test_client()


def test_no_maps(client: FlaskClient) -> None:
    """A gateway that was given nothing says so."""
    assert client.get("/maps").get_json() == {"maps": {}}


def test_maps(hall_client: FlaskClient) -> None:
    """The list tells of each map what there is and where the floor plan lies."""
    maps = hall_client.get("/maps").get_json()["maps"]

    assert list(maps) == ["hall"]
    assert maps["hall"]["layout"]["nodes"] == 2
    assert maps["hall"]["floor_plan"]["origin_x"] == -1.0


def test_layout(hall_client: FlaskClient) -> None:
    """The layout is LIF."""
    response = hall_client.get("/maps/hall/layout")

    assert response.content_type == "application/json"
    assert json.loads(response.data)["layouts"][0]["layoutId"] == "L1"


def test_floor_plan(hall_client: FlaskClient) -> None:
    """The image comes as it was given, with its own type, and may do nothing where it is opened by itself."""
    response = hall_client.get("/maps/hall/floor-plan")

    assert response.data == png(40, 30)
    assert response.content_type == "image/png"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("path", ["/maps", "/maps/hall/layout", "/maps/hall/floor-plan"])
def test_revalidation(hall_client: FlaskClient, path: str) -> None:
    """A browser that has it already is told so."""
    first = hall_client.get(path)
    again = hall_client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(("what", "code"), [("layout", "unknown_layout"), ("floor-plan", "unknown_floor_plan")])
def test_unknown_map(hall_client: FlaskClient, what: str, code: str) -> None:
    """What is not there is a problem with a code."""
    response = hall_client.get(f"/maps/nowhere/{what}")

    assert (response.status_code, response.get_json()["code"]) == (404, code)
