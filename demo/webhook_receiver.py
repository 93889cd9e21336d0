"""A webhook receiver on a free port of this machine."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def webhook_receiver(on_webhook: Callable[[Mapping[str, str], bytes], object]) -> Iterator[str]:
    """Accept every webhook at once and pass on its headers and body; yield the receiver's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            on_webhook(dict(self.headers.items()), body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Print nothing for a request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()
