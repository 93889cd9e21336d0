"""`Developers`: an organization with a webhook, for tests of the pages for developers."""

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

from config.settings import Settings
from models.database import execute, transaction
from models.organizations import audit_log
from models.organizations.organizations import Organization
from models.webhooks import deliveries
from models.webhooks.deliveries import NewDelivery
from models.webhooks.webhook_endpoints import Endpoint
from queues.broker import build_broker
from queues.messages import WEBHOOKS
from services.webhooks import endpoints
from tests.support.dashboard.application import NOW, Browser, Dashboard, text_of

BASE = "/o/acme/settings/developers"
HOOK = "http://127.0.0.1:9/hook?token=hush"
HOSTILE = '<b>"x"</b>\'&/%'


@dataclass
class Developers:
    """An organization `acme` with a webhook, and the browser of its administrator."""

    dashboard: Dashboard
    settings: Settings
    organization: Organization
    endpoint_id: UUID
    browser: Browser

    @property
    def endpoint(self) -> Endpoint:
        with transaction():
            return endpoints.lock(self.organization.id, self.endpoint_id)

    def read(self, path: str = "") -> str:
        response = self.browser.get(BASE + path)
        assert response.status_code == 200, response.status
        return unescape(text_of(response))

    def send(self, path: str, **form: Any) -> str:
        """Submit a form, and read the page that it leads to."""
        response = self.browser.post(BASE + path, **form)
        if response.status_code == 303:
            response = self.browser.get(response.location)
        return unescape(text_of(response))

    def audited(self) -> tuple[str, str, dict[str, Any]]:
        """Return the newest entry of the audit log: action, subject, and detail."""
        with transaction():
            [entry] = audit_log.read_page(
                self.organization.id, made_by=None, action=None, before_id=None, limit=1
            )
        assert entry.made_by == "ann@acme.com"
        return entry.action, entry.subject, dict(entry.detail)

    def add_deliveries(self, number: int = 1, *, state: str = "delivered") -> list[UUID]:
        """Add test deliveries that were written five minutes ago, in this state."""
        ids = []
        with transaction():
            for index in range(number):
                at = NOW - timedelta(minutes=5, seconds=index)
                new = NewDelivery(
                    self.organization.id, self.endpoint_id, None, "msg_1", '{"event": "test"}', at
                )
                ids.append(deliveries.add(new))
            execute(
                "update deliveries set state = %(state)s, next_attempt_at = null, finished_at ="
                " created_at where id = any(%(ids)s::uuid[])",
                {"state": state, "ids": ids},
            )
        return ids

    def enqueued(self) -> int:
        """Return the number of messages that wait for the process `deliver`."""
        broker = build_broker(self.settings.redis_url)
        try:
            return broker.waiting(WEBHOOKS)
        finally:
            broker.client.close()


def shown_secret(page: str, prefix: str) -> str:
    """Return the secret with a prefix that a page shows."""
    match = re.search(rf"({re.escape(prefix)}\S+)", page)
    assert match
    return match[1]
