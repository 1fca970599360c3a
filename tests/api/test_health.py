"""/health, /ready and /metrics."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from vda5050.api import create_flask_app
from vda5050.mqtt_bridge import LinkState
from vda5050.service import Dependency, Service
from vda5050.settings import Settings


def test_health(client: FlaskClient) -> None:
    """A process that answers is alive, whatever it depends on."""
    response = client.get("/health")

    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


@pytest.fixture
def _running(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service seem started, with its broker connected."""
    monkeypatch.setattr(service, "is_running", True)
    monkeypatch.setattr(service.bridge, "state", LinkState.CONNECTED)


@pytest.mark.usefixtures("_running")
def test_ready(client: FlaskClient) -> None:
    """While all is well the gateway is ready, and names what it depends on."""
    response = client.get("/ready")

    answer = response.get_json()
    assert (response.status_code, answer["ready"]) == (200, True)
    assert {name: state["ready"] for name, state in answer["dependencies"].items()} == {"service": True, "broker": True}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_running")
def test_not_ready_without_the_broker(client: FlaskClient, service: Service) -> None:
    """Without its broker the gateway is not ready, and says why in words."""
    service.bridge.state = LinkState.CONNECTING
    service.bridge.problem = "ConnectionRefusedError: nobody listens"
    response = client.get("/ready")

    answer = response.get_json()
    assert (response.status_code, answer["code"], answer["detail"]) == (503, "not_ready", "not ready: broker")
    assert answer["dependencies"]["broker"]["ready"] is False
    assert "nobody listens" in answer["dependencies"]["broker"]["detail"]
    assert answer["dependencies"]["service"]["ready"] is True


@pytest.mark.usefixtures("_running")
def test_not_ready_while_it_stops(client: FlaskClient, service: Service) -> None:
    """A gateway that stops is not ready, so that nobody new is sent to it."""
    service.is_running = False

    answer = client.get("/ready").get_json()
    assert (answer["status"], answer["detail"]) == (503, "not ready: service")


@pytest.mark.usefixtures("_running")
@pytest.mark.parametrize(("is_required", "status"), [(False, 200), (True, 503)])
def test_optional_dependency(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch, *, is_required: bool, status: int
) -> None:
    """What is not required is listed with its reason and turns nobody away; what is required does."""
    others = service.dependencies()
    bus = Dependency(is_ready=False, detail="not connected to amqp://bus.example", is_required=is_required)
    monkeypatch.setattr(service, "dependencies", lambda: {**others, "event_bus": bus})
    response = client.get("/ready")

    told = response.get_json()["dependencies"]
    assert response.status_code == status
    assert told["event_bus"] == {"ready": False, "required": is_required, "detail": bus.detail}
    assert told["broker"]["required"] is True


def test_reasons_are_words(client: FlaskClient) -> None:
    """What is not ready gives a reason for a person, before the start as well."""
    answer = client.get("/ready").get_json()

    details = [state["detail"] for state in answer["dependencies"].values()]
    assert all(details)
    assert "None" not in "".join(details)


def test_ready_holds_no_secret() -> None:
    """The broker is named without its password."""
    service = Service(Settings(mqtt_url="mqtt://user:geheim@broker.example", auth="off"))
    body = create_flask_app(service).test_client().get("/ready").get_data(as_text=True)

    assert "broker.example" in body
    assert "geheim" not in body


def test_metrics(client: FlaskClient, receive: Callable[..., None]) -> None:
    """Prometheus reads what was counted."""
    receive()
    receive(robot="ABB/1")
    response = client.get("/metrics")

    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.get_data(as_text=True).splitlines()
    assert 'vda5050_messages_total{topic="state"} 2.0' in lines
    assert 'vda5050_robots{connection_state="UNKNOWN"} 2.0' in lines
