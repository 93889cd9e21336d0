"""The story of `brazebee demo`: a company goes quiet and comes back, and real webhooks report it.

It takes half a minute, and happens in an organization of its own, `demo-story`.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from standardwebhooks import Webhook

from config.files import DEMO_RULES
from config.settings import Settings
from demo.errors import DemoError
from demo.webhook_receiver import webhook_receiver
from models.database import transaction
from models.keys import api_keys
from models.organizations import organizations
from models.webhooks import webhook_endpoints
from services.rules.apply_rules import apply_rules
from services.times import utc_now
from services.webhooks import endpoints

ORGANIZATION = "demo-story"
EVENT_KEY = "report_created"
WEBHOOK_SECONDS = 20.0
"""How long to wait for a webhook. The window of the demo's rule is 10 seconds."""

PAYLOAD_INTRODUCTION = "  A webhook arrived, and its signature is verified:"

Print = Callable[[str], None]


def play(settings: Settings, base_url: str, print_line: Print) -> None:
    """Play the story against the ingress at `base_url`, on a connected database.

    Opens transactions of its own.

    Raises:
        DemoError: an event was refused, or a webhook did not arrive.
    """
    received: queue.Queue[tuple[Mapping[str, str], bytes]] = queue.Queue()
    with (
        webhook_receiver(lambda headers, body: received.put((headers, body))) as url,
        _subscription(settings, url) as (api_key, secret),
    ):
        _Story(base_url, api_key, Webhook(secret), received, print_line).play()


@dataclass
class _Story:
    """Where to post events, and the webhooks that have arrived, as headers and body."""

    base_url: str
    api_key: str
    webhook: Webhook
    received: "queue.Queue[tuple[Mapping[str, str], bytes]]"
    print_line: Print

    def play(self) -> None:
        run = f"{time.time():.0f}"
        acme, globex = f"acme_{run}", f"globex_{run}"
        self.print_line(
            "Rule: a company is At Risk when it creates less than 2 reports in 10 seconds.\n"
        )
        self.print_line("Acme and Globex each create three reports ...")
        for company_id, name in ((acme, "Acme"), (globex, "Globex")) * 3:
            self._post(company_id, name)
        self.print_line("... then Acme goes quiet, while Globex keeps going. Ten seconds later:\n")
        with self._busy(globex, "Globex"):
            self._print_webhook(acme)
            self.print_line("\nSomebody calls Acme. It creates two more reports:\n")
            self._post(acme, "Acme")
            self._post(acme, "Acme")
            self._print_webhook(acme)
        self.print_line(
            "\nGlobex kept going, stayed Healthy and caused no webhook. Now both go quiet:"
        )
        self.print_line(f"  brazebee companies --org {ORGANIZATION}")
        self.print_line(f"  brazebee explain {acme} --org {ORGANIZATION}")

    def _post(self, company_id: str, name: str) -> None:
        response = requests.post(
            f"{self.base_url}/v1/track",
            headers={"x-api-key": self.api_key},
            json={"event_key": EVENT_KEY, "company": {"id": company_id, "name": name}},
            timeout=5,
        )
        if not response.ok:
            raise DemoError(f"POST /v1/track returned {response.status_code}: {response.text}")

    @contextmanager
    def _busy(self, company_id: str, name: str) -> Iterator[None]:
        """Post an event of a company every 2 seconds during a block."""
        stopping = threading.Event()

        def post_events() -> None:
            while not stopping.wait(2):
                self._post(company_id, name)

        thread = threading.Thread(target=post_events)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def _print_webhook(self, company_id: str) -> None:
        payload = self._next_webhook(company_id)
        self.print_line(PAYLOAD_INTRODUCTION)
        for line in json.dumps(payload, indent=2).splitlines():
            self.print_line(f"    {line}")

    def _next_webhook(self, company_id: str) -> dict[str, Any]:
        """Return the next webhook about a company; the official library verifies its signature."""
        deadline = time.monotonic() + WEBHOOK_SECONDS
        while True:
            try:
                headers, body = self.received.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise DemoError(
                    "The webhook did not arrive; is `brazebee up` still running?"
                ) from None
            payload: dict[str, Any] = self.webhook.verify(body, dict(headers))
            if payload["company"]["id"] == company_id:
                return payload


@contextmanager
def _subscription(settings: Settings, url: str) -> Iterator[tuple[str, str]]:
    """Subscribe a URL during a block; yield an API key and the secret of the webhooks."""
    with transaction():
        organization = organizations.find(ORGANIZATION) or organizations.create(ORGANIZATION)
        rules = DEMO_RULES.read_text(encoding="utf-8")
        apply_rules(organization.id, rules, file=DEMO_RULES.name, applied_by="demo", now=utc_now())
        api_key = api_keys.create(organization.id, "demo")
        key_id = api_keys.list_for_organization(organization.id)[-1].id
        endpoint_id, secret = webhook_endpoints.add(
            organization.id, url, secret_keys=settings.secret_keys
        )
    try:
        yield api_key, secret
    finally:
        with transaction():
            api_keys.revoke(organization.id, key_id)
            endpoints.remove(endpoints.lock(organization.id, endpoint_id))
