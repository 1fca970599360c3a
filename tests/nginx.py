"""nginx with deploy/nginx.conf, on ports of its own, in front of gateways that run already."""

import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.certificates import make_certificates
from tests.services import LOOPBACK, PROJECT, Service, free_port, require, running

CONFIGURATION = PROJECT / "deploy" / "nginx.conf"


class Nginx(Service):
    """A running nginx; `port` is that of TLS, `http_port` that without, `tls` what a client needs to trust it."""

    def __init__(self, folder: Path, *, port: int, http_port: int, tls: ssl.SSLContext) -> None:
        self.http_port = http_port
        self.folder = folder
        self.tls = tls
        self._command = [require("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        super().__init__([*self._command, "-g", "daemon off;"], port=port, log=folder / "output.log")

    def reload(self) -> None:
        """Let it read its configuration again, as an administrator does."""
        subprocess.run([*self._command, "-s", "reload"], check=True, capture_output=True)

    @property
    def worker_pids(self) -> set[int]:
        """The processes that serve, the old ones after a reload included."""
        return set(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))


@contextmanager
def nginx(gateways: Sequence[Service]) -> Iterator[Nginx]:
    """Run nginx in front of two gateways, with certificates made for it."""
    first, second = gateways
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        folder = Path(name)
        certificates = make_certificates(folder, {"site": "fleet.example"})
        port, http_port = free_port(), free_port()
        text = replaced(
            CONFIGURATION.read_text(),
            {
                "listen 80": f"listen {LOOPBACK}:{http_port}",
                "listen 443 ssl": f"listen {LOOPBACK}:{port} ssl",
                "listen [::]:80 default_server;": "",
                "listen [::]:443 ssl http2 default_server;": "",
                "listen [::]:80;": "",
                "listen [::]:443 ssl http2;": "",
                "127.0.0.1:8000": f"{LOOPBACK}:{first.port}",
                "127.0.0.1:8001": f"{LOOPBACK}:{second.port}",
                "/etc/ssl/certs/fleet.example.pem": f"{certificates}/site.pem",
                "/etc/ssl/private/fleet.example.key": f"{certificates}/site.key",
                "/run/nginx.pid": f"{folder}/nginx.pid",
                "/var/log/nginx/": f"{folder}/",
            },
        )
        (folder / "nginx.conf").write_text(text)
        tls = ssl.create_default_context(cafile=str(certificates / "authority.pem"))
        with running(Nginx(folder, port=port, http_port=http_port, tls=tls)) as service:
            assert isinstance(service, Nginx)
            yield service


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    """Put a test's addresses and files in the place of the deployment's. Fails where one is not there."""
    for old, new in replacements.items():
        assert old in text, f"{old} does not stand in the configuration"
        text = text.replace(old, new)
    return text
