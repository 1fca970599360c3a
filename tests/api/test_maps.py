"""/maps: the layouts and floor plans that the page draws under the robots, from the settings and from uploads."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api.keys import Fleet
from tests.unit.test_site_maps import lif, node, png
from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings


@pytest.fixture
def hall_client(tmp_path: Path) -> Iterator[FlaskClient]:
    """Give a client of a gateway whose settings name a layout and a floor plan for the map `hall`."""
    (tmp_path / "lif.json").write_bytes(lif())
    (tmp_path / "hall.png").write_bytes(png(40, 30))
    (tmp_path / "plans.json").write_text('{"hall": {"image": "hall.png", "metres_per_pixel": 0.05, "origin_x": -1}}')
    settings = Settings(
        auth="off",
        layout_file=f"{tmp_path}/lif.json",
        floor_plans_file=f"{tmp_path}/plans.json",
        database_url=f"sqlite:///{tmp_path}/gateway.db",
    )
    service = Service(settings)
    yield create_flask_app(service).test_client()
    service.site_maps.close()


def test_no_maps(client: FlaskClient) -> None:
    """A gateway that was given nothing says so."""
    assert client.get("/maps").get_json() == {"maps": {}, "may_change": False}


def test_maps(hall_client: FlaskClient) -> None:
    """The list tells of each map what there is and where the floor plan lies."""
    maps = hall_client.get("/maps").get_json()["maps"]

    assert list(maps) == ["hall"]
    assert hall_client.get("/maps").get_json()["may_change"] is True
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


def test_an_uploaded_layout_goes_before_the_given_one(hall_client: FlaskClient) -> None:
    """It is shown from then on, with where it comes from; when it is deleted the given one is back."""
    answer = hall_client.put("/maps/hall/layout", data=lif(layoutId="L2", edges=[]))

    assert answer.status_code == 200
    assert answer.get_json()["layout"]["source"] == "upload"
    assert json.loads(hall_client.get("/maps/hall/layout").data)["layouts"][0]["layoutId"] == "L2"
    assert hall_client.delete("/maps/hall/layout").get_json()["layout"]["source"] == "settings"
    assert json.loads(hall_client.get("/maps/hall/layout").data)["layouts"][0]["layoutId"] == "L1"
    assert hall_client.delete("/maps/hall/layout").status_code == 404


def test_a_floor_plan_is_uploaded_and_placed(hall_client: FlaskClient) -> None:
    """A new map appears with its floor plan; placing it anew keeps the image."""
    path = "/maps/second%20floor/floor-plan"
    answer = hall_client.put(f"{path}?metres_per_pixel=0.1&origin_x=-3.5", data=png(8, 6))

    assert answer.get_json()["floor_plan"]["origin_x"] == -3.5
    assert "second floor" in hall_client.get("/maps").get_json()["maps"]
    placed = hall_client.patch(f"{path}?metres_per_pixel=0.2&rotation=1.5").get_json()["floor_plan"]
    assert (placed["metres_per_pixel"], placed["rotation"], placed["origin_x"]) == (0.2, 1.5, 0.0)
    assert hall_client.get(path).data == png(8, 6)
    assert hall_client.delete(path).get_json() == {"layout": None, "floor_plan": None}


def test_a_layout_that_is_none_is_explained(hall_client: FlaskClient) -> None:
    """The problem has a code and leads to the places that are wrong; what is there stays."""
    answer = hall_client.put("/maps/hall/layout", data=lif(nodes=[node("a", nodePosition={"x": 1})], edges=[]))
    problem = answer.get_json()

    assert (answer.status_code, problem["code"]) == (422, "invalid_layout")
    assert problem["problems"] == [
        {"path": "/layouts/0/nodes/0/nodePosition/y", "message": "Missing data for required field."}
    ]
    assert json.loads(hall_client.get("/maps/hall/layout").data)["layouts"][0]["layoutId"] == "L1"


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("metres_per_pixel=0.1", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "unsupported_image"),
        ("metres_per_pixel=0.1", b"GIF89a", 422, "unsupported_image"),
        ("metres_per_pixel=0.1", b"", 422, "unsupported_image"),
        ("metres_per_pixel=0.1", b"\x00" * (8 * 1024 * 1024 + 1), 413, "too_large"),
        ("", png(4, 4), 400, "bad_placement"),
        ("metres_per_pixel=wide", png(4, 4), 400, "bad_placement"),
        ("metres_per_pixel=nan", png(4, 4), 400, "bad_placement"),
        ("metres_per_pixel=0.1&origin_x=inf", png(4, 4), 400, "bad_placement"),
    ],
)
def test_refused_floor_plans(hall_client: FlaskClient, query: str, body: bytes, status: int, code: str) -> None:
    """Neither an image of another kind nor a place that is none is taken."""
    answer = hall_client.put(f"/maps/hall/floor-plan?{query}", data=body)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_strange_map_ids(hall_client: FlaskClient) -> None:
    """A map may be called anything that can be printed and is not endless."""
    place = "metres_per_pixel=1"

    assert hall_client.put(f"/maps/{'m' * 201}/floor-plan?{place}", data=png(4, 4)).status_code == 400
    assert hall_client.put(f"/maps/a%0Ab/floor-plan?{place}", data=png(4, 4)).status_code == 400
    assert hall_client.put(f"/maps/Halle%20%C3%9C%201/floor-plan?{place}", data=png(4, 4)).status_code == 200
    assert "Halle Ü 1" in hall_client.get("/maps").get_json()["maps"]


def test_without_a_database_nothing_is_uploaded(client: FlaskClient) -> None:
    """The refusal names the setting."""
    answer = client.put("/maps/hall/layout", data=lif())

    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_database")


def test_only_admins_are_offered_changes(tmp_path: Path) -> None:
    """The list tells who asks whether an upload would be taken."""
    fleet = Fleet(database_url=f"sqlite:///{tmp_path}/gateway.db")
    client = fleet.app.test_client()

    told = {
        kind: client.get("/maps", headers=fleet.header(kind)).get_json()["may_change"]
        for kind in ("read", "control", "admin")
    }

    assert told == {"read": False, "control": False, "admin": True}
    fleet.service.site_maps.close()
