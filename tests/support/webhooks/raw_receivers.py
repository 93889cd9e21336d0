"""Receivers of webhooks on raw sockets, which choose every byte of their answers."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNK = b"a" * 4096


@dataclass
class Receiver:
    """A server with one behaviour; `requests` are those received, `sent` is a number of bytes."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    sent: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def send(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.sent += len(data)

    def drip(self, connection: socket.socket, data: bytes, *, every: float = 0.05) -> None:
        """Send the data byte by byte, repeatedly, until the client disconnects."""
        while not self.stopping.is_set():
            for byte in data:
                self.send(connection, bytes([byte]))
                if self.stopping.wait(every):
                    return


Behaviour = Callable[[Receiver, socket.socket], None]


@contextmanager
def receiver(
    behave: Behaviour, *, tls: ssl.SSLContext | None = None, reads: bool = True
) -> Iterator[Receiver]:
    """Run a receiver on a free port that reads each request and then behaves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Receiver(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def serve(accepted: socket.socket) -> None:
            with accepted:
                try:
                    connection = tls.wrap_socket(accepted, server_side=True) if tls else accepted
                    with connection:
                        if reads:
                            running.requests.append(read_request(connection))
                        behave(running, connection)
                except OSError:
                    return  # the client has disconnected

        def accept() -> None:
            while not running.stopping.is_set():
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=serve, args=(accepted,), daemon=True)
                thread.start()
                threads.append(thread)

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield running
        finally:
            running.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(5)


def read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return request
        request += received
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [
        h.split(b":")[1] for h in head.split(b"\r\n") if h.lower().startswith(b"content-len")
    ]
    while len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: bytes) -> Behaviour:
    """Return the behaviour that sends an answer and closes the connection."""
    return lambda server, connection: server.send(connection, answer)


def never_answering(server: Receiver, connection: socket.socket) -> None:
    del connection
    server.stopping.wait(5)


def endless(head: bytes, piece: bytes) -> Behaviour:
    """Return the behaviour that sends a head, and then a piece again and again."""

    def pour(server: Receiver, connection: socket.socket) -> None:
        server.send(connection, head)
        while not server.stopping.is_set():
            server.send(connection, piece)

    return pour


def self_signed_tls(folder: Path) -> ssl.SSLContext:
    """Return a TLS context for `localhost` with a self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
