"""The calls that each SDK makes in a test, and what has to become of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

RULES = """\
version: 1
statuses: [Healthy, At Risk]
events:
  report_created: {called: [Report Created]}
  login:
  old_report: {called: [Old Report], enabled: false}
flags:
  - flag: Reports
    event: report_created
    when: {At Risk: less than 2 times in 7 days}
"""

EVENT_KEYS = {"Report Created": "report_created", "login": "login"}
"""The event key of each name that is accepted."""

TURNS = 20
"""The turns after which a user's calls begin anew."""

REFUSED_TURNS = 2 * TURNS
"""Turns with calls that are refused; later ones would push the first ones out of the list."""

UNKNOWN = "Never Configured"


class Outcome(Enum):
    """What becomes of a call; the value is in the reason for which it is refused."""

    STORED = ""
    UNKNOWN = f"Event setting not found for key: {UNKNOWN}"
    DISABLED = "Event setting is disabled for key: old_report"
    NO_EMAIL = "Invalid email"
    AHEAD = "hour"


@dataclass(frozen=True)
class Call:
    """One call; `after` are the seconds from the start until it is made.

    `about` has the fields of the company and of the user, for an SDK that sends them with events.
    """

    n: int
    after: float
    type: str
    user: str
    company: str | None = None
    name: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    timestamp: str | None = None
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcome: Outcome = Outcome.STORED

    @property
    def is_event(self) -> bool:
        """Whether an event has to be stored of it."""
        return self.type == "track" and self.outcome is Outcome.STORED

    def as_json(self) -> dict[str, Any]:
        """Return what a driver has to know."""
        return {key: value for key, value in vars(self).items() if key != "outcome"}


@dataclass(frozen=True)
class Plan:
    """Which calls to make: `users` of `companies`, in turn, for some `seconds`.

    `prefix` begins all ids. The users of an SDK that knows no call about them are sent with each
    event (`events_only`).
    """

    prefix: str
    count: int
    users: int
    companies: int
    seconds: float
    events_only: bool = False

    def company_of(self, user: int) -> str:
        return f"{self.prefix}-company-{user % self.companies}"

    def calls(self) -> Iterator[Call]:
        """Return the calls in the order of their times."""
        now = datetime.now(UTC)
        for index in range(self.count):
            turn, user = divmod(index, self.users)
            yield self._call(index + 1, turn, user, now)

    def _call(self, n: int, turn: int, user: int, now: datetime) -> Call:
        company = self.company_of(user)
        what: dict[str, Any] = {"type": "track", "name": "Report Created", "company": company}
        what |= self._refused(turn, now) or self._accepted(turn, user, now)
        if what["type"] == "identify":
            what["company"] = None
        about = {"company": company_fields(company), "user": user_fields(self.prefix, user)}
        return Call(
            n,
            after=round(self.seconds * (n - 1) / self.count, 4),
            user=f"{self.prefix}-user-{user}",
            fields={"call": n, **what.pop("fields", {})},
            about=about if self.events_only else {},
            **what,
        )

    def _refused(self, turn: int, now: datetime) -> dict[str, Any]:
        """Return what a refused call of a turn is, if it has one."""
        if turn >= REFUSED_TURNS:
            return {}
        ahead = (now + timedelta(days=2)).isoformat(timespec="milliseconds")
        refused: dict[int, dict[str, Any]] = {
            5: {"name": UNKNOWN, "outcome": Outcome.UNKNOWN},
            7: {"name": "Old Report", "outcome": Outcome.DISABLED},
            11: {"timestamp": ahead, "outcome": Outcome.AHEAD},
        }
        if not self.events_only:
            no_email = {"email": "nobody", "refused": True}
            refused[9] = {"type": "identify", "fields": no_email, "outcome": Outcome.NO_EMAIL}
        return refused.get(turn % TURNS, {})

    def _accepted(self, turn: int, user: int, now: datetime) -> dict[str, Any]:
        past = (now - timedelta(days=turn, hours=1)).isoformat(timespec="milliseconds")
        accepted: dict[int, dict[str, Any]] = {
            3: {"name": "login"},
            8: {"timestamp": past},
            12: {"fields": DATA},
            15: {"name": "login"},
        }
        if not self.events_only:
            group = {"type": "group", "fields": company_fields(self.company_of(user))}
            identify = {"type": "identify", "fields": user_fields(self.prefix, user)}
            accepted |= {1: identify, 2: group, 13: identify, 14: group}
            accepted |= {number: {"company": None} for number in (4, 16, 18, 19)}
            if turn == 0:
                accepted[0] = {"company": None}  # waits for the company
        return accepted.get(turn % TURNS, {})


DATA = {
    "text": "“Grüße” \U0001f41d",
    "number": 12.5,
    "nothing": None,
    "yes": True,
    "list": [1, "two", {"three": 3}],
    "nested": {"deep": {"deeper": "still"}},
}
"""Values of every JSON type."""


def user_fields(prefix: str, user: int) -> dict[str, Any]:
    return {
        "email": f"{prefix}-{user}@customer.example",
        "name": f"User {user}",
        "admin": user % 2 == 0,
        "teams": ["east", user],
    }


def company_fields(company: str) -> dict[str, Any]:
    return {
        "name": company.replace("-", " ").title(),
        "plan": "Enterprise",
        "seats": 25,
        "address": {"city": "Zürich"},
    }
