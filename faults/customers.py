"""Customers whose companies report at random intervals, and a ledger of all they sent."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import requests

from bench.load.traffic import EVENT_KEYS
from faults.product import Product
from faults.recount import ERROR, FLAGS, REPORT
from models.database import transaction
from models.keys import api_keys
from models.organizations import organizations
from services.rules.apply_rules import apply_rules

STORM = "storm"
STORM_AFTER = timedelta(seconds=30)

RULES = f"""
version: 1
events: {{{": , ".join((REPORT, ERROR, STORM, *EVENT_KEYS))}: }}
flags:
{FLAGS}
  - flag: Storm
    event: {STORM}
    when: {{At Risk: at least 1 time in {STORM_AFTER.seconds} seconds}}
"""
"""The rules of every customer; the flag `Storm` is for companies that are not recounted."""

PAUSES = (0.5, 1.0, 1.5, 2.0, 2.5, 7.0, 9.0)
"""Seconds between two events of a company; after the long ones it is at risk."""

ERROR_SHARE = 0.4
CLIENTS = 4
RETRY_SECONDS = 0.1
ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Sent:
    """An event that was accepted; the times are the client's, in UTC."""

    event_id: str
    company: str
    event_key: str
    first_sent_at: datetime
    answered_at: datetime


@dataclass
class Customer:
    """An organization, its API key, and what was accepted from it."""

    name: str
    id: int
    api_key: str
    companies: int
    accepted: list[Sent] = field(default_factory=list)


def create_customer(name: str, companies: int) -> Customer:
    """Create an organization with `RULES`."""
    with transaction():
        organization = organizations.create(name)
        key = api_keys.create(organization.id, "faults")
        now = datetime.now(UTC)
        apply_rules(organization.id, RULES, file="rules", applied_by="faults", now=now)
    return Customer(name, organization.id, key, companies)


class Traffic:
    """Clients that post each event until it is accepted."""

    def __init__(self, product: Product, customers: Sequence[Customer], seed: int) -> None:
        self._product = product
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._post_all,
                args=(customer, client, random.Random(f"{seed} {customer.name} {client}")),
                daemon=True,
            )
            for customer in customers
            for client in range(CLIENTS)
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Post during a block."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join()

    def _post_all(self, customer: Customer, client: int, chance: random.Random) -> None:
        """Post the events of every `CLIENTS`-th company of a customer."""
        began = time.monotonic()
        due = {
            f"c{number}": began + chance.random() * 2
            for number in range(client, customer.companies, CLIENTS)
        }
        number = 0
        with requests.Session() as session:
            session.headers["x-api-key"] = customer.api_key
            while not self._stopping.is_set():
                company = min(due, key=lambda name: due[name])
                if self._stopping.wait(max(0.0, due[company] - time.monotonic())):
                    return
                number += 1
                key = ERROR if chance.random() < ERROR_SHARE else REPORT
                self._post(session, customer, f"{customer.name}-{client}-{number}", company, key)
                due[company] = time.monotonic() + chance.choice(PAUSES)

    def _post(
        self, session: requests.Session, customer: Customer, event_id: str, company: str, key: str
    ) -> None:
        body = {
            "event_id": event_id,
            "event_key": key,
            "company": {"id": company, "name": company.upper()},
        }
        first_sent_at = datetime.now(UTC)
        while True:
            try:
                response = session.post(
                    f"{self._product.url}/v1/track", json=body, timeout=ANSWER_SECONDS
                )
            except requests.RequestException:
                pass  # it may have been accepted; the id makes repeating it harmless
            else:
                if response.status_code == 200:
                    sent = Sent(event_id, company, key, first_sent_at, datetime.now(UTC))
                    customer.accepted.append(sent)
                    return
                if response.status_code < 500:
                    raise RuntimeError(f"{response.status_code}: {response.text}")
            time.sleep(RETRY_SECONDS)
