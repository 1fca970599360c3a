"""Debian's Prometheus on a loopback port of its own, with the example and alerts of deploy/, in more of a hurry."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.services import LOOPBACK, PROJECT, Service, free_port, require, running, wait_until

EXAMPLE = PROJECT / "deploy" / "prometheus"


class Prometheus(Service):
    """A server that scrapes every second."""

    @property
    def is_ready(self) -> bool:
        """Tell whether it answers queries; it reads its data first."""
        try:
            urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/-/ready", timeout=15).close()
        except OSError:
            return False
        return True

    def query(self, path: str, **parameters: str) -> Any:
        """Ask its API; gives `data` of the answer. Raises OSError."""
        url = f"http://{LOOPBACK}:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=15) as answer:
            return json.load(answer)["data"]

    def value(self, expr: str) -> float | None:
        """Evaluate an expression that has one value; None where it has none yet."""
        result = self.query("query", query=expr)["result"]
        return float(result[0]["value"][1]) if result else None


@contextmanager
def prometheus(target_port: int, folder: Path, *, token: str) -> Iterator[Prometheus]:
    """Run it on the gateway at `target_port`; its files go to `folder`."""
    config = yaml.safe_load((EXAMPLE / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"{LOOPBACK}:{target_port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "alerts.yml").write_text((EXAMPLE / "alerts.yml").read_text())
    (folder / "vda5050-token").write_text(token)
    port = free_port()
    argv = [
        require("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--log.level=warn",
    ]
    with running(Prometheus(argv, port=port, log=folder / "output.log")) as service:
        assert isinstance(service, Prometheus)
        wait_until(lambda: service.is_ready, what="Prometheus is ready", deadline_s=30)
        yield service
