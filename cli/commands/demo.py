"""`brazebee demo`: a customer goes quiet and comes back, told by real webhooks in half a minute."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click
import requests
from standardwebhooks import Webhook

from cli.connection import database_transaction, find_running
from cli.errors import CommandError
from config.files import DEMO_RULES
from models.keys import api_keys
from models.organizations import organizations
from models.webhooks import webhook_endpoints
from services.rules.apply_rules import apply_rules
from services.times import utc_now
from services.webhooks import endpoints

ORGANIZATION = "demo-story"
EVENT_KEY = "report_created"
PATIENCE_SECONDS = 20.0
"""The window of the demo's rule is 10 seconds; its webhook must be here well within this."""


@click.command()
def demo() -> None:
    """Tell a story in half a minute against a running `brazebee up`.

    Works in an organization of its own, `demo-story`, and leaves the others alone.
    """
    url = find_running().base_url
    with _receiver() as (hook_url, received), _subscribed(hook_url) as (api_key, secret):
        _tell(_Story(url, api_key, Webhook(secret), received))


@dataclass
class _Story:
    """Where to post, and what has arrived: (headers, body) of each webhook."""

    base_url: str
    api_key: str
    webhook: Webhook
    received: "queue.Queue[tuple[dict[str, str], bytes]]"

    def post(self, company_id: str, name: str) -> None:
        response = requests.post(
            f"{self.base_url}/v1/track",
            headers={"x-api-key": self.api_key},
            json={"event_key": EVENT_KEY, "company": {"id": company_id, "name": name}},
            timeout=5,
        )
        if not response.ok:
            raise CommandError(f"POST /v1/track answered {response.status_code}: {response.text}")

    def await_webhook(self, company_id: str) -> dict[str, Any]:
        """The next webhook about a company, its signature verified by the official library."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                headers, body = self.received.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise CommandError(
                    "The webhook did not come; is `brazebee up` still running?"
                ) from None
            payload: dict[str, Any] = self.webhook.verify(body, headers)
            if payload["company"]["id"] == company_id:
                return payload


def _tell(story: _Story) -> None:
    run = f"{time.time():.0f}"
    acme, globex = f"acme_{run}", f"globex_{run}"
    click.echo("Rule: a customer is At Risk when it creates less than 2 reports in 10 seconds.\n")
    click.echo("Acme and Globex each create three reports ...")
    for company, name in ((acme, "Acme"), (globex, "Globex")) * 3:
        story.post(company, name)
    click.echo("... then Acme goes quiet, while Globex keeps going. Ten seconds later:\n")
    busy = threading.Event()
    working = threading.Thread(target=_keep_busy, args=(story, globex, busy))
    working.start()
    try:
        _print(story.await_webhook(acme))
        click.echo("\nSomebody calls Acme. It creates two more reports:\n")
        story.post(acme, "Acme")
        story.post(acme, "Acme")
        _print(story.await_webhook(acme))
    finally:
        busy.set()
        working.join()
    click.echo("\nGlobex kept going, stayed Healthy and caused no webhook. Now both go quiet:")
    click.echo(f"  brazebee companies --org {ORGANIZATION}")
    click.echo(f"  brazebee explain {acme} --org {ORGANIZATION}")


def _keep_busy(story: _Story, company_id: str, stop: threading.Event) -> None:
    while not stop.wait(2):
        story.post(company_id, "Globex")


def _print(payload: dict[str, Any]) -> None:
    click.secho("  A webhook arrived, and its signature is verified:", fg="green")
    for line in json.dumps(payload, indent=2).splitlines():
        click.echo(f"    {line}")


@contextmanager
def _receiver() -> Iterator[tuple[str, "queue.Queue[tuple[dict[str, str], bytes]]"]]:
    """A webhook receiver on a free port of this machine."""
    received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Print nothing: the story prints what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks", received
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _subscribed(hook_url: str) -> Iterator[tuple[str, str]]:
    """A key of the demo's organization and the secret of its webhook, for as long as needed."""
    with database_transaction() as settings:
        organization = organizations.find(ORGANIZATION) or organizations.create(ORGANIZATION)
        rules = DEMO_RULES.read_text(encoding="utf-8")
        apply_rules(organization.id, rules, file=DEMO_RULES.name, applied_by="demo", now=utc_now())
        api_key = api_keys.create(organization.id, "demo")
        key_id = api_keys.of_organization(organization.id)[-1].id
        endpoint_id, secret = webhook_endpoints.add(
            organization.id, hook_url, secret_keys=settings.secret_keys
        )
    try:
        yield api_key, secret
    finally:
        with database_transaction():
            api_keys.revoke(organization.id, key_id)
            endpoints.remove(endpoints.find(organization.id, endpoint_id))
