"""Certificates for tests, made by openssl: an authority, what it signed, and a stranger that nobody knows."""

import subprocess
from pathlib import Path

from tests.services import require

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_certificates(folder: Path, names: dict[str, str]) -> Path:
    """Make `authority.pem` and `stranger.pem`, and for each of `names` (file: DNS name) a certificate of the authority.

    The keys lie beside them as `.key`. Returns the folder.
    """

    def openssl(*arguments: str) -> None:
        subprocess.run([require("openssl"), *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("authority", "stranger"):
        openssl("req", "-x509", *_NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
                "-subj", f"/CN={name}")  # fmt: skip
    for name, dns_name in names.items():
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{dns_name}\n")
        openssl("req", *_NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={dns_name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")  # fmt: skip
    return folder
