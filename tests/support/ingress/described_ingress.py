"""An ingress that is asked by its description, and checked against it."""

import json
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.ingress.application import EventSetting, Serve, Tenant, tenant
from tests.support.ingress.description import Operation, check_answer
from tests.support.ingress.door_client import DoorClient
from tests.support.ingress.granian import FakeExchange

AT = datetime(2026, 1, 20, 10, 30, 5, 123456, tzinfo=UTC)
"""When the requests of the description's examples arrive."""

TOKEN = "t0ken-of-operations"

EVENTS = (
    EventSetting("report_created"),
    EventSetting("login"),
    EventSetting("export_created", enabled=False),
)


@dataclass
class DescribedIngress:
    """Sends requests of an organization, and checks that each answer is as described."""

    serve: Serve
    organization: Tenant

    @classmethod
    def create(cls, serve: Serve) -> "DescribedIngress":
        return cls(serve, tenant("Acme", events=EVENTS))

    def key(self, *scopes: Scope) -> str:
        """Create a further key."""
        with transaction():
            return api_keys.create(self.organization.id, "Other", scopes)

    def answer(
        self,
        operation: Operation,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        without: Collection[str] = (),
        exchange: Mapping[str, bool] | None = None,
        **served: Any,
    ) -> FakeExchange:
        """Send a request, by default the first example; `served` are parts of the ingress."""
        if body is None and operation.examples:
            body = next(iter(operation.examples.values()))
        content = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        sent = {
            "Content-Type": "application/json",
            "x-api-key": self.organization.key,
            "Authorization": f"Bearer {TOKEN}",
            **(headers or {}),
        }
        ingress = self.serve(now=lambda: AT, **{"metrics_token": TOKEN, **served})
        with closing(DoorClient(ingress.door)) as client:
            made = client.send(
                operation.method,
                operation.path,
                content,
                {name: value for name, value in sent.items() if name not in without},
                **(exchange or {}),
            )
        check_answer(operation, made.status, made.headers, made.body)
        return made


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()
