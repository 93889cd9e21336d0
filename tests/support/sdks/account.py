"""The account of a run: every call against what is stored, shown as refused, and set aside."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from formats.reading import SAME_CLOCK
from queues.refused.unknown_event_keys import UnknownKeys
from tests.support.product.tenant import Tenant
from tests.support.sdks.calls import EVENT_KEYS, UNKNOWN, Call, Outcome, company_fields, user_fields
from tests.support.sdks.runs import Run

A_MOMENT = timedelta(seconds=1)
"""For a process to go on with what it began, on a busy machine."""

SAME_MOMENT_SECONDS = 0.005

SHOWN = 3

REFUSED_AT_ONCE = 1_000
"""More than are kept of one organization."""


@dataclass(frozen=True)
class Stored:
    """An event as it is stored."""

    event_id: str
    event_key: str
    company: str
    user: str | None
    occurred_at: datetime
    received_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """A refused request as the command line lists it."""

    event_id: str
    reason: str


class Account:
    """What an organization has of a run."""

    def __init__(
        self,
        tenant: Tenant,
        run: Run,
        refused: Sequence[Refused],
        unknown: Mapping[str, int],
    ) -> None:
        self.run, self.unknown = run, unknown
        self._id = tenant.id
        self._brazebee = tenant.brazebee
        of_run = f"like '{run.plan.prefix}-%'"
        self.events = [
            Stored(*row)
            for row in self._query(
                "select e.event_id, e.event_key, c.external_id, u.external_id, e.occurred_at,"
                " e.received_at, e.data from events e join companies c using (organization_id)"
                " left join users u on u.organization_id = e.organization_id and u.id = e.user_id"
                f" where e.organization_id = {self._id} and c.id = e.company_id"
                f" and c.external_id {of_run}"
            )
        ]
        self.companies: dict[str, dict[str, Any]] = {
            company: {"name": name, **traits}
            for company, name, traits in self._query(
                "select external_id, name, traits from companies"
                f" where organization_id = {self._id} and external_id {of_run}"
            )
        }
        self.users: dict[str, dict[str, Any]] = {
            user: {"email": email, "name": name, **traits, "company": company}
            for user, email, name, traits, company in self._query(
                "select u.external_id, u.email, u.name, u.traits, c.external_id from users u"
                " join companies c using (organization_id)"
                f" where u.organization_id = {self._id} and c.id = u.company_id"
                f" and u.external_id {of_run}"
            )
        }
        self.waiting = {
            (event_id, user)
            for event_id, user in self._query(
                "select event_id, user_external_id from waiting_records"
                f" where organization_id = {self._id} and user_external_id {of_run}"
            )
        }
        self.set_aside = self._query(
            f"select error from rejected_events where organization_id = {self._id}"
        )
        calls = {event_id: n for n, event_id in run.ids.items()}
        self.refused = {calls[r.event_id]: r.reason for r in refused if r.event_id in calls}

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._brazebee.query(sql)

    def differences(self) -> list[str]:
        """Return what is not as it has to be; each is a sentence."""
        if self.run.fault:
            return [self.run.fault]
        return [
            *self._events(),
            *self._companies(),
            *self._users(),
            *self._refusals(),
            *(f"An event is set aside: {reason}" for (reason,) in self.set_aside[:SHOWN]),
        ]

    def _events(self) -> Iterator[str]:
        """Compare the events with the calls, one by one."""
        found: defaultdict[int | None, list[Stored]] = defaultdict(list)
        for event in self.events:
            found[event.data.get("call")].append(event)
        faults: defaultdict[str, list[Any]] = defaultdict(list)
        for call in self.run.calls:
            for fault in self._faults_of(call, found.pop(call.n, [])):
                faults[fault].append(call.n)
        if found:
            faults["events belong to no call"].extend(found)
        for what, calls in faults.items():
            yield f"{len(calls)} {what}: {calls[:SHOWN]}"

    def _faults_of(self, call: Call, rows: Sequence[Stored]) -> Iterator[str]:
        if not call.is_event:
            if rows:
                yield f"{call.type} calls ({call.outcome.name}) are stored as events"
        elif not rows:
            if call.n not in self.run.lost and not self._may_wait(call):
                yield "calls are not stored"
        elif len(rows) > 1:
            yield "calls are stored more than once"
        else:
            yield from self._faults_of_event(call, rows[0])

    def _faults_of_event(self, call: Call, row: Stored) -> Iterator[str]:
        told_id = self.run.ids.get(call.n)
        if told_id and told_id != row.event_id:
            yield "calls have another id"
        if row.event_key != EVENT_KEYS[call.name or ""]:
            yield "calls have another event key"
        if (row.company, row.user) != (self._company_of(call), call.user):
            yield "calls are of another company or user"
        if {k: v for k, v in row.data.items() if k in call.fields} != call.fields:
            yield f"calls have other data, such as {row.data}"
        if strange := [k for k in row.data if k not in call.fields and not _is_of_the_sdk(k)]:
            yield f"calls have the added data {strange}"
        if not self._is_at_its_time(call, row):
            yield f"calls have another time, such as {row}"

    def _is_at_its_time(self, call: Call, row: Stored) -> bool:
        """Whether an event has its time, or is later by what its request took.

        Some SDKs send a request again with the time at which they first sent it. If it arrives much
        later, that looks like a clock that is wrong, and times are corrected by the difference.
        """
        made_at = datetime.fromtimestamp(self.run.made_at[call.n], UTC)
        at = datetime.fromisoformat(call.timestamp) if call.timestamp else made_at
        later, took = row.occurred_at - at, row.received_at - made_at
        return -A_MOMENT < later < (A_MOMENT if took <= SAME_CLOCK else took + A_MOMENT)

    def _company_of(self, call: Call) -> str:
        return self.run.plan.company_of(int(call.user.rpartition("-")[2]))

    def _may_wait(self, call: Call) -> bool:
        """Whether a call waits for the company of its user, which no arrived call has named."""
        return (self.run.ids.get(call.n), call.user) in self.waiting and call.user not in self.users

    def _arrived(self, kind: str) -> list[Call]:
        """Return the calls of a kind that are to be accepted, and were not lost."""
        return [
            call
            for call in self.run.calls
            if call.type == kind and call.outcome is Outcome.STORED and call.n not in self.run.lost
        ]

    def _companies(self) -> Iterator[str]:
        plan = self.run.plan
        every = {plan.company_of(user) for user in range(plan.users)}
        named = {call.company for kind in ("group", "track") for call in self._arrived(kind)}
        if not named - {None} <= self.companies.keys() <= every:
            yield f"The companies are {sorted(self.companies)}, not {sorted(every)}"
            return
        latest = self._latest("group", by="company")
        for company, fields in self.companies.items():
            if plan.events_only or latest[company]:
                wanted = company_fields(company)
                yield from self._field_faults(company, fields, wanted, latest[company])

    def _users(self) -> Iterator[str]:
        plan = self.run.plan
        every = {f"{plan.prefix}-user-{user}" for user in range(plan.users)}
        named = {call.user for call in self._arrived("track") if call.company}
        if not named <= self.users.keys() <= every:
            yield f"The users are {sorted(self.users)}, not {sorted(every)}"
            return
        if known := sorted({user for _, user in self.waiting} & self.users.keys()):
            yield f"Calls of users whose company is known wait: {known[:SHOWN]}"
        latest = self._latest("identify", by="user")
        for user, stored in self.users.items():
            fields, number = dict(stored), int(user.rpartition("-")[2])
            company, wanted = fields.pop("company"), user_fields(plan.prefix, number)
            if company != plan.company_of(number):
                yield f"{user} belongs to {company}"
            if plan.events_only or latest[user]:
                yield from self._field_faults(user, fields, wanted, latest[user])

    def _field_faults(
        self,
        who: str,
        fields: Mapping[str, Any],
        wanted: Mapping[str, Any],
        latest: Sequence[int],
    ) -> Iterator[str]:
        others = {key: value for key, value in fields.items() if key != "call"}
        if others != wanted:
            yield f"{who} has the fields {others}, not {wanted}"
        if latest and fields.get("call") not in latest:
            yield f"{who} has the fields of call {fields.get('call')}, not of {latest}"

    def _latest(self, kind: str, *, by: str) -> defaultdict[str, list[int]]:
        """Return the calls of which the fields may be: the latest that arrived, and later ones.

        A call that the SDK gave up may have arrived all the same. Of calls within a few
        milliseconds, such as after a pause of the driver, each may be the latest.
        """
        latest: defaultdict[str, list[int]] = defaultdict(list)
        made_at, arrived = self.run.made_at, self._arrived(kind)
        for call in arrived:
            of = latest[getattr(call, by)]
            of[:] = [n for n in of if made_at[call.n] - made_at[n] < SAME_MOMENT_SECONDS]
            of.append(call.n)
        for call in self.run.calls:
            of = latest[getattr(call, by) or ""]
            if call.type == kind and call.n in self.run.lost and of and call.n > of[0]:
                of.append(call.n)
        return latest

    def _refusals(self) -> Iterator[str]:
        """Compare the refused requests with the calls that have to be refused."""
        wanted = {c.n: c for c in self.run.calls if c.outcome is not Outcome.STORED}
        missing = [n for n in wanted if n not in self.refused and n not in self.run.lost]
        if missing:
            yield f"{len(missing)} refused calls are not shown: {missing[:SHOWN]}"
        unknown = [n for n, call in wanted.items() if call.name == UNKNOWN and n in self.refused]
        if self.unknown.get(UNKNOWN, 0) < len(unknown):
            yield f"{UNKNOWN} was sent {len(unknown)} times, not {self.unknown.get(UNKNOWN, 0)}"
        if strange := sorted(self.refused.keys() - wanted.keys()):
            reason = self.refused[strange[0]]
            yield f"{len(strange)} calls are refused: {strange[:SHOWN]}, such as {reason}"
        for n, reason in self.refused.items():
            if n in wanted and wanted[n].outcome.value not in reason:
                yield f"Call {n} is refused with {reason}, not {wanted[n].outcome.value}"
                return


def _is_of_the_sdk(key: str) -> bool:
    """Whether an SDK adds this to the data: PostHog's begin with a dollar."""
    return key.startswith("$") or key in ("source", "subject")


def unknown_keys(tenant: Tenant, client: redis.Redis) -> dict[str, int]:
    """Return how often each name was sent that no rule lists, as the Events page shows it."""
    keys = UnknownKeys(client).of_organization(tenant.id, datetime.now(UTC))
    return {key.event_key: key.times for key in keys}


def refused_requests(tenant: Tenant) -> list[Refused]:
    """Return all refused requests of an organization, by the command that lists them."""
    listed = tenant.json("events", "refused", "--limit", str(REFUSED_AT_ONCE))
    return [Refused(request["event_id"], request["reason"]) for request in listed]
