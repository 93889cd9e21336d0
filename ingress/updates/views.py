"""Fields of companies and users without an event: of one by its id, or of up to 100 at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

from ingress.batch import LARGEST_BATCH, LEVELS_AROUND, items_of
from ingress.body import check_body, read
from ingress.client.answers import json_answer
from ingress.client.errors import ApiError
from ingress.client.gate import Gate
from ingress.client.request_keys import ScopeMissing
from ingress.event.accepting import parse
from ingress.event.refusals import KEPT, Refusing
from ingress.event.valid_event import LARGEST_EVENT
from ingress.strict_json import UnreadableBody
from ingress.updates.entries import COMPANY, USER, Kind, read_all, read_one, with_id
from models.keys.api_keys import KeyHolder
from models.keys.scopes import Scope


@dataclass(frozen=True)
class Updates:
    """The views and their dependencies."""

    gate: Gate
    now: Callable[[], datetime]

    def put_company(self, company_id: str) -> Response:
        """Merge fields of one company."""
        return self._put(COMPANY, company_id)

    def put_user(self, user_id: str) -> Response:
        """Merge fields of one user."""
        return self._put(USER, user_id)

    def companies_batch(self) -> Response:
        """Merge fields of companies. Those without faults are enqueued together, all or none."""
        return self._batch(COMPANY)

    def users_batch(self) -> Response:
        """Merge fields of users. Those without faults are enqueued together, all or none."""
        return self._batch(USER)

    def _put(self, kind: Kind, named: str) -> Response:
        body, holder = self._authenticated(kind, LARGEST_EVENT, f"A {kind.one}")
        at, payload = self.now(), None
        try:
            parsed = parse(body)
            payload = with_id(kind, parsed.value, named)
            entry = read_one(kind, holder, payload, at, storable=parsed.is_storable())
        except Exception as error:
            # The request counts, and an exceeded limit takes precedence over the error.
            g.window = self.gate.admit(holder, rejected=1)
            if isinstance(error, ApiError):
                self._keep(kind, holder, at, [(error, payload)])
            raise
        g.window = self.gate.admit(holder, [entry])
        return json_answer({"success": True, "id": named, "accepted_at": at.astimezone(UTC)})

    def _batch(self, kind: Kind) -> Response:
        body, holder = self._authenticated(kind, LARGEST_BATCH, "A batch")
        at = self.now()
        try:
            parsed = parse(body)
            payloads = items_of(parsed.value, kind.several, [])
        except Exception as error:
            g.window = self.gate.admit(holder)
            if isinstance(error, ApiError):
                self._keep(kind, holder, at, [(error, None)])
            raise
        storable = parsed.is_storable(LEVELS_AROUND)
        may_be_large = parsed.size > LARGEST_EVENT
        results = list(
            read_all(kind, holder, payloads, at, storable=storable, may_be_large=may_be_large)
        )
        accepted = [result.entry for result in results if result.entry]
        rejected = len(results) - len(accepted)
        g.window = self.gate.admit(holder, accepted, rejected=rejected)
        self._keep(kind, holder, at, [(each.error, each.payload) for each in results if each.error])
        return json_answer(
            {
                "accepted": len(accepted),
                "rejected": rejected,
                "results": [result.as_json(index) for index, result in enumerate(results)],
            }
        )

    def _authenticated(
        self, kind: Kind, largest: int, what: str
    ) -> tuple[bytes | UnreadableBody, KeyHolder]:
        """Return the body of a request and the holder of its key; a refusal is kept."""
        sent = read(request, largest)
        try:
            body = check_body(sent, request.headers, what, largest)
        except ApiError as error:
            g.window = self.gate.count_address(request.remote_addr or "unknown")
            if holder := self.gate.holder_behind(request.headers, g.window):
                self._keep(kind, holder, self.now(), [(error, None)])
            raise
        try:
            return body, self.gate.authenticate(request.environ, Scope.SEND)
        except ScopeMissing as error:
            self._keep(kind, error.holder, self.now(), [(error, None)])
            raise

    def _keep(
        self, kind: Kind, holder: KeyHolder, at: datetime, refused: list[tuple[ApiError, Any]]
    ) -> None:
        """Keep refusals, each with the update as it was sent; None for a whole request."""
        refusing = Refusing(holder, at, request.path)
        self.gate.note_refused(
            holder,
            [
                refusing.of_call(error, kind.one, payload)
                for error, payload in refused
                if error.status in KEPT
            ],
        )


def add_updates(app: Flask, updates: Updates) -> None:
    """Add the routes."""
    for path, view, method in (
        ("/v1/companies/<id:company_id>", updates.put_company, "PUT"),
        ("/v1/companies/batch", updates.companies_batch, "POST"),
        ("/v1/users/<id:user_id>", updates.put_user, "PUT"),
        ("/v1/users/batch", updates.users_batch, "POST"),
    ):
        app.add_url_rule(path, view_func=view, methods=[method])
