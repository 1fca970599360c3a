"""Layouts and floor plans: what is taken, what is refused and why; the simulators' own layout is a right one."""

import json
import math
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fleet_simulator.layout_file import lif_text
from fleet_simulator.route_graph import MAP_ID, build_hall

from vda5050.errors import SettingsError
from vda5050.settings import Settings
from vda5050.site_maps import FloorPlan, GivenMaps, Placement, SiteMapError, read_layout
from vda5050.site_maps.images import read_image

META = {
    "projectIdentification": "p",
    "creator": "c",
    "exportTimestamp": "2026-11-23T12:00:00.00Z",
    "lifVersion": "1.0.0",
}


def node(node_id: str, x: float = 0.0, **overrides: Any) -> dict[str, Any]:
    """Build a node."""
    return {
        "nodeId": node_id,
        "mapId": "hall",
        "nodePosition": {"x": x, "y": 1.0},
        "vehicleTypeNodeProperties": [{"vehicleTypeId": "t"}],
    } | overrides


def edge(start: str, end: str) -> dict[str, Any]:
    """Build an edge."""
    properties = [{"vehicleTypeId": "t", "rotationAllowed": False}]
    return {
        "edgeId": f"{start}-{end}",
        "startNodeId": start,
        "endNodeId": end,
        "vehicleTypeEdgeProperties": properties,
    }


def lif(**overrides: Any) -> bytes:
    """Build a file with one layout: two nodes, an edge and a station; `overrides` replace the layout's members."""
    layout = {
        "layoutId": "L1",
        "layoutVersion": "1",
        "nodes": [node("a"), node("b", 5.0)],
        "edges": [edge("a", "b")],
        "stations": [{"stationId": "s", "interactionNodeIds": ["b"]}],
    }
    return json.dumps({"metaInformation": META, "layouts": [layout | overrides]}).encode()


def png(width: int, height: int, *, grey: int = 255) -> bytes:
    """Build a PNG of one grey; white is 255."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\x00" + bytes([grey]) * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc2\x00\x0b\x08\x00\x20\x00\x30\x01\x01\x11\x00\xff\xd9"
)
"""The head of a progressive JPEG of 48 x 32 pixels."""


def test_layout() -> None:
    """A layout says what is in it, and comes out as LIF again, members that the standard does not know included."""
    layout = read_layout(lif(vendorMember={"a": 1}), "hall")

    assert (layout.facts["nodes"], layout.facts["edges"]) == (2, 1)
    assert json.loads(layout.body)["layouts"][0]["vendorMember"] == {"a": 1}


def test_one_map_of_several() -> None:
    """A map's layout has its own nodes, the edges that begin there and the stations that are reached from there."""
    nodes = [node("a"), node("b"), node("up", mapId="upstairs")]
    body = lif(nodes=nodes, edges=[edge("a", "b"), edge("b", "up"), edge("up", "a")])

    layout = json.loads(read_layout(body, "hall").body)["layouts"][0]

    assert [found["nodeId"] for found in layout["nodes"]] == ["a", "b"]
    assert [found["edgeId"] for found in layout["edges"]] == ["a-b", "b-up"]
    assert len(layout["stations"]) == 1


def test_nodes_without_a_map_are_on_the_one_that_is_meant() -> None:
    """LIF's mapId is optional: such nodes belong to the map that the file is given for."""
    bare = {key: value for key, value in node("a").items() if key != "mapId"}

    layout = read_layout(lif(nodes=[bare, node("b")], stations=[]), "hall")

    assert layout.facts["nodes"] == 2


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        (b"{", "invalid_layout", "no JSON"),
        (b"[]", "invalid_layout", "no JSON object"),
        (b"{}", "invalid_layout", "/metaInformation"),
        (
            lif(nodes=[node("a", nodePosition={"x": "1", "y": 0})]),
            "invalid_layout",
            "/layouts/0/nodes/0/nodePosition/x",
        ),
        (lif(nodes=[node("b")]), "invalid_layout", "/layouts/0/edges/0/startNodeId"),
        (lif(nodes=[node("a", mapId="other")]), "other_map", "other"),
        (b"[" * 100_000, "invalid_layout", "no JSON"),
        (b" " * (8 * 1024 * 1024 + 1), "too_large", "8388608"),
    ],
)
def test_refused_layouts(body: bytes, code: str, told: str) -> None:
    """What is no layout of this map is refused with a code, and with words that lead to the place."""
    with pytest.raises(SiteMapError, match=told) as refused:
        read_layout(body, "hall")

    assert refused.value.code == code


def test_every_problem_of_a_layout_is_told() -> None:
    """Up to twenty problems are listed, each with its place."""
    with pytest.raises(SiteMapError) as refused:
        read_layout(lif(nodes=[{"nodeId": 1}] * 30), "hall")

    assert len(refused.value.problems) == 20
    assert {"path", "message"} == set(refused.value.problems[0])


@pytest.mark.parametrize(
    ("body", "told"), [(png(40, 30), ("image/png", 40, 30)), (JPEG, ("image/jpeg", 48, 32))], ids=["png", "jpeg"]
)
def test_images(body: bytes, told: tuple[str, int, int]) -> None:
    """An image's first bytes tell what it is and how large."""
    image = read_image(body)

    assert (image.media_type, image.width_px, image.height_px) == told


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GIF89a",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        png(40, 30)[:20],
        png(20_000, 1),
        JPEG[:20],
        b"\xff\xd8\xff\xe0\x00\x00" + b"\xff" * 50,
    ],
)
def test_refused_images(body: bytes) -> None:
    """Neither another format, nor a broken image, nor a huge one is a floor plan."""
    with pytest.raises(SiteMapError) as refused:
        read_image(body)

    assert refused.value.code == "unsupported_image"


@pytest.mark.parametrize(
    "wrong",
    [
        {"metres_per_pixel": 0.0},
        {"metres_per_pixel": math.nan},
        {"metres_per_pixel": math.inf},
        {"origin_x": math.nan},
        {"origin_y": 1e9},
        {"rotation": 99.0},
    ],
)
def test_refused_placements(wrong: dict[str, float]) -> None:
    """No image lies nowhere."""
    with pytest.raises(SiteMapError):
        Placement(**({"metres_per_pixel": 0.05} | wrong))


def test_floor_plan_tells_where_it_lies() -> None:
    """Its facts hold all that is needed to draw it."""
    plan = FloorPlan.read(png(40, 30), Placement(metres_per_pixel=0.1, origin_x=-2.0, rotation=0.5))

    assert plan.facts | {"digest": ""} == {
        "media_type": "image/png",
        "width_px": 40,
        "height_px": 30,
        "metres_per_pixel": 0.1,
        "origin_x": -2.0,
        "origin_y": 0.0,
        "rotation": 0.5,
        "digest": "",
    }


def test_settings_name_files(tmp_path: Path) -> None:
    """A layout file is shown on every map that its nodes name, a floor plan on the map that names it."""
    (tmp_path / "lif.json").write_bytes(lif(nodes=[node("a"), node("b", mapId="upstairs")]))
    (tmp_path / "hall.png").write_bytes(png(4, 4))
    (tmp_path / "plans.json").write_text('{"hall": {"image": "hall.png", "metres_per_pixel": 0.05}}')
    settings = Settings(layout_file=f"{tmp_path}/lif.json", floor_plans_file=f"{tmp_path}/plans.json")

    facts = GivenMaps.from_settings(settings).facts()

    assert list(facts) == ["hall", "upstairs"]
    assert facts["hall"]["floor_plan"]["metres_per_pixel"] == 0.05
    assert facts["upstairs"]["floor_plan"] is None


@pytest.mark.parametrize(
    "plans", ["", "[]", "{}x", '{"hall": 1}', '{"hall": {"image": "no.png", "metres_per_pixel": 1}}']
)
def test_files_that_cannot_be_used(tmp_path: Path, plans: str) -> None:
    """A gateway does not start with a file that it cannot use, and says which setting names it."""
    (tmp_path / "plans.json").write_text(plans)

    with pytest.raises(SettingsError, match="VDA5050_FLOOR_PLANS_FILE"):
        GivenMaps.from_settings(Settings(floor_plans_file=f"{tmp_path}/plans.json"))
    with pytest.raises(SettingsError, match="VDA5050_LAYOUT_FILE"):
        GivenMaps.from_settings(Settings(layout_file=f"{tmp_path}/plans.json"))


def test_the_simulators_layout_is_one() -> None:
    """The halls are written as LIF that is taken, with every node, edge and station."""
    text = lif_text([build_hall(1), build_hall(2)], datetime(2026, 11, 23, tzinfo=UTC))

    layout = read_layout(text.encode(), MAP_ID)

    assert layout.facts | {"digest": ""} == {
        "name": "Hall 1, Hall 2",
        "nodes": 36,
        "edges": 56,
        "stations": 16,
        "digest": "",
    }
