"""Snoozes and overrides of a company's flags: made and ended here, by editors."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from werkzeug.exceptions import ServiceUnavailable
from wtforms import DateField, Form, SelectField, StringField
from wtforms.validators import Length, Optional

from dashboard.access import Member, audit, editor
from dashboard.pages.company.frame import blueprint, book_in_force, find_company, show
from dashboard.pages.company.notes import about
from dashboard.pages.company.overview import (
    explained,
    overrides_of,
    rule_address,
    standing_of,
)
from dashboard.presentation.wording import exact_time
from dashboard.web.context import now, parts
from dashboard.web.forms import choice, one_line, required, trimmed
from dashboard.web.messages import ask_for_deliveries
from models.companies.companies import Company
from models.database import transaction
from models.health.flag_overrides import StoredOverride
from queues.backlog import Horizon
from services.health.overrides import (
    LONGEST_OWNER,
    LONGEST_REASON,
    FlagOfCompany,
    Grounds,
    Judging,
    OverrideRefused,
    Written,
    end,
    override,
    snooze,
)
from services.rules.rule_books import RulesUnreadable

SNOOZE = "snooze"
"""The choice that is no status; statuses are written with `=` before them."""

LENGTHS = {
    "1": "in 1 day",
    "3": "in 3 days",
    "7": "in 1 week",
    "14": "in 2 weeks",
    "30": "in 30 days",
    "90": "in 90 days",
}
ON_DAY, BY_HAND = "day", "hand"
ENDS = {**LENGTHS, ON_DAY: "on a day", BY_HAND: "when somebody ends it"}
FARTHEST = timedelta(days=3650)


def _text(label: str, what: str, longest: int, **options: Any) -> StringField:
    checks = [
        required(what),
        Length(max=longest, message=f"Use at most {longest} characters."),
        one_line,
    ]
    render = {"maxlength": longest, "autocomplete": "off"}
    return StringField(label, checks, filters=[trimmed], render_kw=render, **options)


class OverrideForm(Form):
    """What a flag is to count as, until when, why, and who answers for it."""

    counts = SelectField("For now this flag")
    ends = SelectField(
        "It ends",
        choices=[choice(value, text) for value, text in ENDS.items()],
        default="7",
    )
    day = DateField(
        "Day",
        [Optional()],
        description="To the end of it, in UTC.",
    )
    reason = _text("Reason", "a reason", LONGEST_REASON, description="For whoever asks later.")
    owner = _text("Owner", "an owner", LONGEST_OWNER, description="Who answers for it.")

    def offer(self, statuses: tuple[str, ...]) -> "OverrideForm":
        """Give the choice of a snooze and of these statuses."""
        self.counts.choices = [
            choice(SNOOZE, "is snoozed: does not count, and nobody is told"),
            *(choice(f"={status}", f"counts as {status}") for status in statuses),
        ]
        return self

    @property
    def status(self) -> str | None:
        """The status that was chosen, None for a snooze."""
        chosen = str(self.counts.data)
        return None if chosen == SNOOZE else chosen.removeprefix("=")

    def until(self, at: datetime) -> datetime | None:
        """When it is to end, None for not by itself; notes what is wrong with that as errors."""
        if self.ends.data in LENGTHS:
            return at + timedelta(days=int(self.ends.data))
        if self.ends.data == BY_HAND:
            if self.status is None:
                self.ends.errors = ["A snooze must end: choose when."]
            return None
        if self.day.data is None:
            self.day.errors = ["Choose a day."]
            return None
        if self.day.data < at.date():
            self.day.errors = ["This day is over."]
        elif self.day.data > (at + FARTHEST).date():
            self.day.errors = ["Choose a day within the next ten years."]
        else:
            return datetime.combine(self.day.data, time(), UTC) + timedelta(days=1)
        return None


@blueprint.get("/flags/<name:flag>")
@editor
def flag(member: Member, company: str, flag: str) -> ResponseReturnValue:
    """A flag of a company, and the form to snooze or override it."""
    with transaction():
        found = find_company(member, company)
        form = _form()
        form.owner.data = member.person.email
        return _page(member, found, flag, form)


@blueprint.post("/flags/<name:flag>")
@editor
def override_flag(member: Member, company: str, flag: str) -> ResponseReturnValue:
    """Snooze or override a flag; what overrode it before ends."""
    at = now()
    with transaction():
        found = find_company(member, company)
        form = _form(request.form)
        valid = form.validate()
        until = form.until(at) if valid else None
        if not valid or form.errors:
            return _page(member, found, flag, form), 422
    target = FlagOfCompany(member.organization.id, company, flag)
    grounds = Grounds(str(form.reason.data), str(form.owner.data), member.person.email)

    def change(judging: Judging) -> Written:
        if form.status is None and until is not None:
            return snooze(target, until, grounds, judging)
        return override(target, form.status or "", until, grounds, judging)

    try:
        written = _change(member, at, change, "Flag overridden" if form.status else "Flag snoozed")
    except OverrideRefused as error:
        form.counts.errors = [str(error)]
        with transaction():
            return _page(member, find_company(member, company), flag, form), 422
    one = written.override
    what = f"counts as {one.status}" if one.status else "is snoozed"
    end_of_it = f" until {exact_time(one.ends_at)}" if one.ends_at else " until somebody ends that"
    flash(f"{flag} {what}{end_of_it}. {_outcome(written)}")
    return redirect(url_for(".page", company=company), 303)


@blueprint.post("/flags/<name:flag>/end")
@editor
def end_override(member: Member, company: str, flag: str) -> ResponseReturnValue:
    """Let a flag count as it is judged again."""
    with transaction():
        find_company(member, company)
    target = FlagOfCompany(member.organization.id, company, flag)
    try:
        written = _change(
            member,
            now(),
            lambda judging: end(target, member.person.email, judging),
            "Flag counts again",
        )
    except OverrideRefused as error:
        flash(str(error), "error")
    else:
        flash(f"{flag} counts as it is judged again. {_outcome(written)}")
    return redirect(url_for(".page", company=company), 303)


def _change(
    member: Member, at: datetime, change: Callable[[Judging], Written], action: str
) -> Written:
    """Change how a flag counts, write that down, and have what tells it sent.

    Raises:
        OverrideRefused: it cannot be done as asked; nothing was changed.
        ServiceUnavailable: Redis does not tell which events wait, or the rules cannot be read.
    """
    try:
        known_until = Horizon(parts().broker, now).known_until()
    except RedisError:
        raise ServiceUnavailable("Redis does not answer. Nothing was changed.") from None
    try:
        with transaction():
            written = change(Judging(parts().rulebooks, at, known_until))
            one = written.override
            subject = f"{one.flag} of {about(written.company)}"
            audit.record(member, action, subject, _detail(one))
    except RulesUnreadable as error:
        raise ServiceUnavailable(f"{error}. Nothing was changed.") from None
    ask_for_deliveries(written.deliveries)
    return written


def _detail(one: StoredOverride) -> dict[str, str]:
    if one.ended_at is not None:
        return {}
    said = {"counts as": one.status, "until": one.ends_at and exact_time(one.ends_at)}
    known = {name: text for name, text in said.items() if text}
    return {**known, "reason": one.reason, "owner": one.owner}


def _outcome(written: Written) -> str:
    one, company = written.override, written.company
    if one.start_recorded and (one.ended_at is None or one.end_recorded):
        return f"{company.name} is {company.health_status}."
    return "Events wait to be stored; it counts as soon as they are."


def _form(sent: Any = None) -> OverrideForm:
    book = book_in_force()
    return OverrideForm(sent).offer(book.statuses if book else ())


def _page(member: Member, company: Company, flag_name: str, form: OverrideForm) -> str:
    """The page of a flag, within the transaction at hand; 404 where the rules do not have it."""
    at = now()
    try:
        explanation = explained(member, company, at)
    except RulesUnreadable as error:
        raise ServiceUnavailable(f"{error}.") from None
    flags = explanation.flags if explanation else []
    shown = next((one for one in flags if one.flag == flag_name), None)
    if shown is None:
        abort(404)
    overrides = overrides_of(company, at)
    return show(
        "company/flag.html",
        company,
        standing=standing_of(company, explanation),
        flag=shown,
        form=form,
        rule_address=rule_address,
        rules_version=explanation.rules_version if explanation else 0,
        in_force=overrides.in_force.get(flag_name),
        over=[one for one in overrides.over if one.flag == flag_name],
    )
