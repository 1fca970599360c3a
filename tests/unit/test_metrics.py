"""What Prometheus is told."""

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.builders import Chain, connection
from vda5050.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Scrape, and give values by name and labels."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_robots_are_counted_at_the_scrape() -> None:
    """`vda5050_robots` tells how many robots there are at the moment of the scrape, by connection state."""
    chain = Chain()
    chain.metrics.watch_robots(chain.robots)
    chain.receive(connection(), topic="connection")
    chain.receive(robot="ABB/1")

    scraped = samples(chain.metrics)
    assert scraped["vda5050_robots", "ONLINE"] == 1
    assert scraped["vda5050_robots", "UNKNOWN"] == 1


def test_two_gateways_in_one_process() -> None:
    """Each gateway has counters of its own."""
    one, two = Metrics(), Metrics()
    one.broker_connects.inc()

    assert samples(one)["vda5050_broker_connects_total", ""] == 1
    assert samples(two)["vda5050_broker_connects_total", ""] == 0


def test_names_and_labels() -> None:
    """Every metric of ours is called vda5050_..., has its help, and no label that could grow with the fleet."""
    chain = Chain()
    chain.metrics.watch_robots(chain.robots)
    for number in range(20):
        chain.receive(robot=f"A/{number}")
        chain.receive(b"bad", robot=f"B/{number}")
    families = [
        family
        for family in text_string_to_metric_families(chain.metrics.render().decode())
        if not family.name.startswith(("process_", "python_"))
    ]

    assert [family.name for family in families if not family.name.startswith("vda5050_")] == []
    assert [family.name for family in families if not family.documentation] == []
    assert max(len({str({**sample.labels, "le": ""}) for sample in family.samples}) for family in families) < 15


def test_no_series_beside_those_told() -> None:
    """No counter or histogram brings a `_created` series that nobody has asked for."""
    chain = Chain()
    chain.receive(b"bad")

    assert "_created" not in chain.metrics.render().decode()


def test_the_process_is_measured() -> None:
    """Memory and CPU of the process are there too."""
    assert ("process_resident_memory_bytes", "") in samples(Metrics())
