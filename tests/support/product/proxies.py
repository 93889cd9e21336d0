"""The nginx and the Caddy of docs/examples, on free ports in front of a product."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.files import ROOT
from tests.support.ports import free_port
from tests.support.product.brazebee_process import Brazebee

EXAMPLES = ROOT / "docs" / "examples"
NAMES = ("events.example.com", "health.example.com")


@dataclass(frozen=True)
class Proxy:
    """The ports of a running proxy."""

    https: int
    http: int


@contextmanager
def running_proxy(name: str, product: Brazebee, folder: Path) -> Iterator[Proxy]:
    """Run `nginx` or `caddy` with its example; only addresses and certificates are replaced."""
    proxy = Proxy(free_port(), free_port())
    arguments = PREPARE[name](proxy, product, folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(shutil.which(name)), *arguments], stdout=log, stderr=log)
    try:
        yield proxy
    finally:
        process.terminate()
        process.wait(10)


def _prepare_nginx(proxy: Proxy, product: Brazebee, folder: Path) -> list[str]:
    text = (EXAMPLES / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"\n *listen \[::\].*", "", text)
    text = re.sub(r"listen 443", f"listen 127.0.0.1:{proxy.https}", text)
    text = re.sub(r"listen 80", f"listen 127.0.0.1:{proxy.http}", text)
    for name in NAMES:
        _make_certificate(name, folder / name)
    text = text.replace("/etc/ssl/", f"{folder}/")
    (folder / "brazebee.conf").write_text(_addressed(text, product), encoding="utf-8")
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n"
        f"access_log {folder}/access.log;\nclient_body_temp_path {folder}/body;\n"
        f"proxy_temp_path {folder}/proxy;\ninclude {folder}/brazebee.conf;\n}}\n",
        encoding="utf-8",
    )
    return ["-p", str(folder), "-c", str(folder / "nginx.conf")]


def _prepare_caddy(proxy: Proxy, product: Brazebee, folder: Path) -> list[str]:
    text = (EXAMPLES / "Caddyfile").read_text(encoding="utf-8")
    here = (
        f"{{\n\thttp_port {proxy.http}\n\thttps_port {proxy.https}\n\tlocal_certs\n"
        f"\tskip_install_trust\n\tadmin off\n\tpersist_config off\n\tstorage file_system {folder}\n"
    )
    text = text.replace("\n{\n", f"\n{here}", 1)
    (folder / "Caddyfile").write_text(_addressed(text, product), encoding="utf-8")
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PREPARE = {"nginx": _prepare_nginx, "caddy": _prepare_caddy}


def _addressed(text: str, product: Brazebee) -> str:
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{product.port}").replace(
        "127.0.0.1:8001", f"127.0.0.1:{product.dashboard_port}"
    )


def _make_certificate(name: str, folder: Path) -> None:
    folder.mkdir()
    key, certificate = str(folder / "privkey.pem"), str(folder / "fullchain.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-keyout", key, "-out", certificate, "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
