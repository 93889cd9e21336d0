"""Sends one signed POST to a checked address, within a limit of wall-clock time."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from config.webhook_policy import WebhookPolicy
from services.webhooks.addresses import Address, AddressPolicy, AddressRefused
from services.webhooks.deadlines import Deadline

USER_AGENT = "Brazebee-Webhooks/1"

MOST_INTERIM_RESPONSES = 100

PATIENCE_SECONDS = 5.0
"""How much later than the deadline a read times out by itself: the deadline ends attempts whose
time is up one after another."""


@dataclass(frozen=True)
class Response:
    """The response of an endpoint, or why there is none.

    `error` is None exactly for a 2xx; `status_code` is None if no response arrived. `stopped` means
    that nobody waits for it any more: this process stops.
    """

    status_code: int | None
    error: str | None
    body: str | None
    duration_ms: int
    retry_after: str | None = None
    stopped: bool = False


@dataclass(frozen=True)
class Transport:
    """Sends webhooks to allowed addresses.

    The policy's timeout is wall-clock time from resolving the host to the last byte read, even if
    bytes arrive slowly. The response is never decompressed.
    """

    addresses: AddressPolicy
    policy: WebhookPolicy

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Make one attempt. Faults of the endpoint or the network are returned, never raised."""
        started = time.monotonic()
        deadline = Deadline(self.policy)
        try:
            self.addresses.check_url(url)
            status_code, text, retry_after = self._exchange(url, body, headers, deadline)
        except (requests.RequestException, HTTPError, AddressRefused, OSError, ValueError) as error:
            reason = deadline.reason if deadline.passed else _reason(error, deadline)
            return Response(None, reason, None, _elapsed_ms(started), stopped=deadline.stopped)
        finally:
            deadline.cancel()
        error_text = None if 200 <= status_code < 300 else f"answered {status_code}"
        return Response(status_code, error_text, text, _elapsed_ms(started), retry_after)

    def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline
    ) -> tuple[int, str, str | None]:
        with _Session() as session:
            session.mount("http://", _GuardedAdapter(self.addresses, deadline))
            session.mount("https://", _GuardedAdapter(self.addresses, deadline))
            with session.post(
                url,
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": USER_AGENT,
                    **headers,
                },
                timeout=(deadline.connect_seconds, deadline.seconds + PATIENCE_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                body_start = response.raw.read(self.policy.response_bytes, decode_content=False)
                if deadline.passed:
                    raise requests.Timeout("the response was cut off")
                text = _storable(body_start.decode("utf-8", "replace"))
                return response.status_code, text, response.headers.get("Retry-After")


class _Session(requests.Session):
    """A session that ignores the environment and never resolves a redirect."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: otherwise requests would read the whole body to prepare for the redirect."""


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context of all attempts: loading the certificates takes 20 ms of CPU."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


class _FinalResponse(http.client.HTTPResponse):
    """The final response; interim ones before it, such as 103 Early Hints, are skipped (RFC 9110).

    The base class skips 100 only. 101 is left as it is: nothing asks for another protocol.
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST_INTERIM_RESPONSES):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 102 <= status <= 199:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim responses")


class _GuardedConnection(HTTPConnection):
    """Connects only to an address that the policy has checked and allows."""

    response_class = _FinalResponse
    addresses: AddressPolicy
    deadline: Deadline
    secure = False

    def __init__(self, *args: Any, guard: tuple[AddressPolicy, Deadline], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.addresses, self.deadline = guard

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        addresses = self._resolve()
        give_up_at = time.monotonic() + self.deadline.remaining_to_connect()
        for address in addresses:
            family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(max(0.001, give_up_at - time.monotonic()))
                connection.connect((str(address), self.port))
            except OSError as error:
                connection.close()
                failure = error
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(self.deadline.connect_seconds)
            self.deadline.watch(connection)
            return connection
        raise failure or OSError(f"{self.host} has no address")

    def _resolve(self) -> Sequence[Address]:
        """Resolve the host in a thread of its own, because the system call has no timeout.

        Raises:
            TimeoutError: there was no answer in time; the thread ends when it arrives.
        """
        resolved: Future[Sequence[Address]] = Future()

        def resolve() -> None:
            try:
                resolved.set_result(
                    self.addresses.resolve(self.host, self.port, secure=self.secure)
                )
            except Exception as error:  # noqa: BLE001 -- the waiting thread raises it
                resolved.set_exception(error)

        threading.Thread(target=resolve, daemon=True).start()
        return resolved.result(timeout=self.deadline.remaining_to_connect())


class _GuardedTLSConnection(_GuardedConnection, HTTPSConnection):
    secure = True


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, addresses: AddressPolicy, deadline: Deadline) -> None:
        self._guard = (addresses, deadline)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": self._pool_class(HTTPConnectionPool, _GuardedConnection),
            "https": self._pool_class(HTTPSConnectionPool, _GuardedTLSConnection),
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        conn.ca_certs = None  # the context has them

    def _pool_class(self, base: type, connection: type[_GuardedConnection]) -> type:
        guarded = staticmethod(partial(connection, guard=self._guard))
        return type(base.__name__, (base,), {"ConnectionCls": guarded})


def _reason(error: Exception, deadline: Deadline) -> str:
    """Return the innermost cause in words: requests and urllib3 wrap each other's errors."""
    cause: BaseException = error
    while inner := cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__):
        cause = inner
    match cause:
        case socket.gaierror() | UnicodeError():
            return "the host name does not resolve"
        case ConnectionRefusedError():
            return "connection refused"
        case TimeoutError():
            return f"no connection within {deadline.connect_seconds:g} s"
        case http.client.RemoteDisconnected():
            return "the connection was closed without an answer"
        case http.client.HTTPException():
            return "the answer is not HTTP"
    return _storable(str(cause)) or type(cause).__name__


def _storable(text: str) -> str:
    """Return text without NUL, which PostgreSQL cannot store."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _elapsed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
