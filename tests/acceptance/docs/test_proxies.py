"""The examples of nginx and Caddy before a real product; skipped where one is not installed."""

import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.proxies import NAMES, PREPARE, Proxy, running_proxy
from tests.support.product.signing_in import signs_in

pytestmark = [
    pytest.mark.xdist_group("proxies"),  # one product for both
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]

EVENTS, HEALTH = NAMES
EVENT = {"event_key": "login", "company": {"id": "c", "name": "C"}}
SLOW_REQUESTS = {
    EVENTS: ("/v1/track", "application/json"),
    HEALTH: ("/sign-in", "application/x-www-form-urlencoded"),
}
"""By name: a path and a type of content of which the body is read."""

FORGED = {
    "X-Forwarded-For": "192.0.2.1",
    "X_Forwarded_For": "192.0.2.2",
    "X-Forwarded-Host": "evil.example",
    "X_Forwarded_Host": "evil.example",
    "X-Forwarded-Proto": "http",
}


@pytest.fixture(scope="module")
def product() -> Iterator[Brazebee]:
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        running = Brazebee(
            Path(made),
            WEB_CONCURRENCY="1",
            BRAZEBEE_TRUSTED_PROXIES="1",
            BRAZEBEE_DASHBOARD_URL=f"https://{HEALTH}",
            BRAZEBEE_METRICS_TOKEN="t0ken",
        )
        running.start(evaluate=0, deliver=0, clock=0)
        yield running
        running.stop()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            name,
            marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"),
        )
        for name in PREPARE
    ],
)
def proxy(request: pytest.FixtureRequest, product: Brazebee) -> Iterator[Proxy]:
    with tempfile.TemporaryDirectory(prefix="brazebee-") as made:
        Path(made).chmod(0o755)  # as root, nginx writes bodies as another user
        with running_proxy(request.param, product, Path(made)) as running:
            eventually(lambda: all(serves(running, name) for name in NAMES))
            yield running


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    """A client for which the names of the examples are those of this machine."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host in NAMES else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    with requests.Session() as session:
        session.verify = False
        session.trust_env = False
        yield session


def serves(proxy: Proxy, name: str) -> bool:
    """Whether it listens and has a certificate, which Caddy makes after it has begun to listen."""
    try:
        connect(proxy, name).close()
    except OSError:
        return False
    return True


def track(browser: requests.Session, proxy: Proxy, key: str, **options: Any) -> requests.Response:
    return browser.post(
        f"https://{EVENTS}:{proxy.https}/v1/track",
        headers={"x-api-key": key, "Content-Type": "application/json"},
        timeout=10,
        **options,
    )


def test_events_are_accepted_and_what_is_refused_is_refused_by_brazebee(
    product: Brazebee, proxy: Proxy, browser: requests.Session
) -> None:
    assert track(browser, proxy, product.api_key, json=EVENT).json()["success"] is True
    large = track(browser, proxy, product.api_key, data=b" " * 1_500_000)
    assert (large.status_code, large.json()["error"]) == (413, "Request body too large")
    hidden = browser.get(f"https://{EVENTS}:{proxy.https}/metrics",
                         headers={"Authorization": "Bearer t0ken"}, timeout=10)  # fmt: skip
    assert hidden.status_code == 404
    too_large = track(browser, proxy, product.api_key, data=b" " * 3_000_000)
    assert too_large.status_code == 413


def test_names_of_headers_with_an_underscore_are_dropped(
    product: Brazebee, proxy: Proxy, browser: requests.Session
) -> None:
    browser.headers["x_api_key"] = product.api_key
    through = browser.post(f"https://{EVENTS}:{proxy.https}/v1/track", json=EVENT, timeout=10)
    assert (through.status_code, through.json()["error"]) == (401, "API key required")


def test_people_sign_in_and_forged_headers_change_nothing(
    product: Brazebee, proxy: Proxy, browser: requests.Session
) -> None:
    made = product.json("people", "set-password", "admin@localhost")
    address = f"https://{HEALTH}:{proxy.https}"
    # Without the port of this test, which the addresses of the product do not have.
    browser.headers.update({**FORGED, "Host": HEALTH, "Referer": f"https://{HEALTH}/"})
    first = browser.get(address, timeout=10, allow_redirects=False)
    assert "evil.example" not in f"{first.headers}{first.text}"
    assert signs_in(product, "admin@localhost", made["password"], browser, address)
    assert {(cookie.name, cookie.secure) for cookie in browser.cookies} == {
        ("__Host-brazebee", True),
        ("__Host-brazebee_session", True),
    }
    assert product.query("select distinct address from sessions") == [("127.0.0.1",)]


def test_slow_clients_delay_nobody(
    product: Brazebee, proxy: Proxy, browser: requests.Session
) -> None:
    slow = [begin_a_request(proxy, name, product.api_key) for name in NAMES for _ in range(20)]
    time.sleep(0.5)  # until they would occupy the threads of the product
    started = time.monotonic()
    for _ in range(5):
        assert track(browser, proxy, product.api_key, json=EVENT).status_code == 200
        page = browser.get(f"https://{HEALTH}:{proxy.https}/sign-in", timeout=10)
        assert page.status_code == 200
    assert time.monotonic() - started < 5
    for connection in slow:
        connection.close()


def connect(proxy: Proxy, name: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", proxy.https)), server_hostname=name
    )


def begin_a_request(proxy: Proxy, name: str, key: str) -> ssl.SSLSocket:
    connection = connect(proxy, name)
    path, kind = SLOW_REQUESTS[name]
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: {name}\r\nx-api-key: {key}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: 100\r\n\r\n{{".encode()
    )
    return connection


def test_plain_http_is_for_people_only(proxy: Proxy, browser: requests.Session) -> None:
    def get(name: str) -> requests.Response:
        return browser.get(f"http://{name}:{proxy.http}/x", timeout=10, allow_redirects=False)

    assert get(EVENTS).status_code == 403
    sent = get(HEALTH)
    assert sent.is_redirect
    assert sent.headers["Location"].startswith(f"https://{HEALTH}")


def test_no_other_name_is_served(proxy: Proxy) -> None:
    with pytest.raises(ssl.SSLError):
        connect(proxy, "other.example.com")
