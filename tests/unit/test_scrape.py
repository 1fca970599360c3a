"""The metrics of several workers are one text that Prometheus takes."""

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.builders import Chain
from vda5050.metrics import Metrics
from vda5050.scrape import Scrape, merge


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Read a scrape as Prometheus does; each sample by its name and its labels' values, in the order of their names."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = (sample.name, *(sample.labels[name] for name in sorted(sample.labels)))
            assert key not in found, "a sample twice"
            found[key] = sample.value
    return found


def test_merge() -> None:
    """Each worker's samples are there with its name, beside the labels that they have; each family is told once."""
    one, two = Chain(), Chain()
    one.receive()
    two.receive()
    two.receive()
    two.metrics.broker_connects.inc()
    text = merge({"1": one.metrics.render(), "2": two.metrics.render()})

    found = samples(text)
    assert found["vda5050_messages_total", "state", "1"] == 1
    assert found["vda5050_messages_total", "state", "2"] == 2
    assert found["vda5050_broker_connects_total", "1"] == 0
    assert found["vda5050_broker_connects_total", "2"] == 1
    helps = [line for line in text.decode().split("\n") if line.startswith("# HELP")]
    assert len(helps) == len(set(helps))


def test_nothing_is_lost() -> None:
    """Merged, every worker has exactly the samples that it shows by itself."""
    chain = Chain()
    chain.receive()
    chain.receive(b"bad")
    alone = chain.metrics.render()
    merged = merge({"1": alone, "7": alone})

    assert len(samples(merged)) == 2 * len(samples(alone))


def test_labels_that_look_like_something_else() -> None:
    """Braces, spaces and quotes in a label's value are that value."""
    metrics = Metrics()
    metrics.rejected.labels('a} {worker="9"} 3\n#').inc()

    merged = samples(merge({"1": metrics.render()}))
    assert merged["vda5050_rejected_messages_total", 'a} {worker="9"} 3\n#', "1"] == 1


def test_alone() -> None:
    """A worker without siblings shows what it has, without a further label."""
    metrics = Metrics()
    text = Scrape(metrics).render()

    assert b"worker=" not in text
    assert samples(text).keys() == samples(metrics.render()).keys()
