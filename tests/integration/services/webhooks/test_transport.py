"""The request that is posted, the address it goes to, and the result."""

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.webhooks import transport
from services.webhooks.addresses import Address, AddressPolicy
from tests.support.webhooks.posts import LOOPBACK, post
from tests.support.webhooks.raw_receivers import OK, answering, receiver, self_signed_tls


def test_a_webhook_is_one_post_of_the_exact_bytes_with_its_signature() -> None:
    with receiver(answering(OK)) as server:
        response = post(server.url, body='{"name":"Bücher"}'.encode())
    assert response.status_code == 200
    assert response.error is None
    assert response.body == "ok"
    [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hook HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert body == '{"name":"Bücher"}'.encode()
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-signature"] == "v1,abc"


def test_the_host_header_has_the_name_while_the_connection_goes_to_the_checked_address() -> None:
    with receiver(answering(OK)) as server:
        response = post(f"http://localhost:{server.port}/hook")
    assert response.error is None
    assert f"Host: localhost:{server.port}".encode() in server.requests[0]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    with receiver(answering(f"HTTP/1.1 {status} Fine\r\nContent-Length: 0\r\n\r\n".encode())) as s:
        response = post(s.url)
    assert response.status_code == status
    assert response.error is None


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 429, 500, 503, 599])
def test_every_other_status_is_a_failure_that_names_it(status: int) -> None:
    answer = f"HTTP/1.1 {status} No\r\nRetry-After: 77\r\nContent-Length: 4\r\n\r\nbusy".encode()
    with receiver(answering(answer)) as server:
        response = post(server.url)
    assert response.status_code == status
    assert response.error == f"answered {status}"
    assert response.retry_after == "77"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with receiver(answering(OK)) as elsewhere:
        location = f"Location: {elsewhere.url}\r\n"
        answer = f"HTTP/1.1 {status} Moved\r\n{location}Content-Length: 0\r\n\r\n"
        with receiver(answering(answer.encode())) as server:
            response = post(server.url)
    assert response.status_code == status
    assert response.error == f"answered {status}"
    assert elsewhere.requests == []


def test_a_redirect_without_a_location_is_a_failure() -> None:
    with receiver(answering(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")) as server:
        assert post(server.url).error == "answered 302"


@pytest.mark.parametrize(
    "location",
    [b"http://[", b"http://[::1", b"\xff\xfe", b"https://a..b/", b"http:///", b"//", b"%zz", b"x:"],
)
def test_a_redirect_to_an_invalid_url_is_a_failure_like_any_other(location: bytes) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with receiver(answering(answer)) as server:
        response = post(server.url)
    assert response.error == "answered 302"


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed_tls(tmp_path_factory.mktemp("tls"))


def test_an_untrusted_certificate_is_refused(self_signed: ssl.SSLContext) -> None:
    server_names: list[str | None] = []
    self_signed.sni_callback = lambda _socket, name, _context: server_names.append(name)
    with receiver(answering(OK), tls=self_signed) as server:
        response = post(f"https://localhost:{server.port}/hook")
    assert response.status_code is None
    assert response.error is not None
    assert "certificate verify failed" in response.error
    assert server.requests == [], "nothing was sent before the certificate was checked"
    assert server_names == ["localhost"], "SNI has the name of the host"


@pytest.fixture
def trusting_self_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ssl.SSLContext]:
    """A self-signed certificate for `localhost` that is among the trusted ones."""
    tls = self_signed_tls(tmp_path)
    monkeypatch.setattr(transport, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "certificate.pem"))
    transport.tls_context.cache_clear()
    yield tls
    transport.tls_context.cache_clear()


def test_a_trusted_certificate_is_accepted_for_its_host_alone(
    trusting_self_signed: ssl.SSLContext,
) -> None:
    with receiver(answering(OK), tls=trusting_self_signed) as server:
        trusted = post(f"https://localhost:{server.port}/hook")
        other_host = post(f"https://127.0.0.1:{server.port}/hook")
    assert trusted.error is None
    assert other_host.error is not None
    assert "certificate verify failed" in other_host.error
    assert len(server.requests) == 1


def test_the_trusted_certificates_are_loaded_once(self_signed: ssl.SSLContext) -> None:
    with receiver(answering(OK), tls=self_signed) as server:
        for _ in range(2):
            post(f"https://localhost:{server.port}/hook")
        contexts = transport.tls_context.cache_info()
        post(f"https://localhost:{server.port}/hook")
    assert contexts.currsize == 1
    assert transport.tls_context.cache_info().misses == contexts.misses


def test_https_to_a_plain_http_receiver_is_a_failure_with_an_explanation() -> None:
    with receiver(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False) as server:
        response = post(f"https://127.0.0.1:{server.port}/hook")
    assert response.status_code is None
    assert response.error is not None
    assert "SSL" in response.error


def test_proxies_and_credentials_in_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    with receiver(answering(OK)) as proxy, receiver(answering(OK)) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        response = post(server.url)
    assert response.error is None
    assert proxy.requests == []
    assert len(server.requests) == 1
    assert b"authorization" not in server.requests[0].lower()


def test_no_connection_is_made_to_a_host_that_is_not_allowed() -> None:
    with receiver(answering(OK)) as server:
        response = post(f"https://127.0.0.1:{server.port}/hook", policy=AddressPolicy())
        plain = post(server.url, policy=AddressPolicy())
    assert response.error is not None
    assert "is not public" in response.error
    assert plain.error == "a webhook URL must start with https://"
    assert server.requests == []


@dataclass(frozen=True)
class ManyAddresses(AddressPolicy):
    """A name with several addresses."""

    addresses: Sequence[str] = ()

    def resolve(self, host: str, port: int, *, secure: bool) -> list[Address]:
        assert host == "many.example"
        return [
            address
            for name in self.addresses
            for address in super(ManyAddresses, self).resolve(name, port, secure=secure)
        ]


def test_the_next_address_of_a_name_is_tried_if_the_first_refuses() -> None:
    policy = ManyAddresses(LOOPBACK.allowed_nets, addresses=["127.0.0.2", "127.0.0.1"])
    with receiver(answering(OK)) as server:
        response = post(f"http://many.example:{server.port}/hook", policy=policy)
    assert response.error is None
    assert f"Host: many.example:{server.port}".encode() in server.requests[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://" + "a" * 64 + ".example/",
        "https://a..b/",
        "https://.example/",
        "https://*.example/",
        "https://[::1/",
        "https://127.0.0.1:99999/",
        "https://%31/",
        "http://127.0.0.1\\@10.0.0.1/",
        "ftp://127.0.0.1/",
        "",
    ],
)
def test_an_invalid_url_is_a_failure_and_not_an_exception(url: str) -> None:
    response = post(url)
    assert response.status_code is None
    assert response.error
