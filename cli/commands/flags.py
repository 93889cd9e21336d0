"""`brazebee flags`: flags of companies snoozed, overridden, and as they are judged again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from redis.exceptions import RedisError

from cli.commands.webhooks import enqueue_deliveries
from cli.connection import database_transaction, find_organization
from cli.errors import CommandError
from cli.option_types import Instant, current_user
from cli.output import json_option, org_option, print_json, print_rows
from config.settings import Settings
from models.companies import companies
from models.health import flag_overrides
from models.health.flag_overrides import Kind, StoredOverride
from queues.backlog import Backlog
from queues.broker import build_broker
from rules.durations import format_instant, shift
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_offset
from services.health.as_json import override_json
from services.health.overrides import (
    FlagOfCompany,
    JudgingContext,
    Justification,
    OverrideRefused,
    OverrideResult,
    end,
    override,
    snooze,
)
from services.rules.rule_books import RuleBooks
from services.times import utc_now

Command = Callable[..., None]

company_argument = click.argument("company")
flag_argument = click.argument("flag")


def _grounds_options(command: Command) -> Command:
    """Until when, why, and who answers for it."""
    for option in (
        click.option("--owner", required=True, help="Who answers for it, such as an email."),
        click.option("--reason", required=True, help="Why, for whoever asks."),
        click.option("--for", "for_long", metavar="DURATION",
                     help="For how long, such as '2 weeks'."),
        click.option("--until", type=Instant(), help="Until then, in ISO 8601; UTC unless said."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("flags")
def flags() -> None:
    """Flags of a company: leave one out for a while, or say yourself what it counts as."""


@flags.command("snooze")
@company_argument
@flag_argument
@_grounds_options
@org_option
@json_option
def snooze_flag(
    company: str,
    flag: str,
    until: datetime | None,
    for_long: str | None,
    reason: str,
    owner: str,
    org: str,
    as_json: bool,
) -> None:
    """Let FLAG of COMPANY not count, and tell nobody of its changes, for a while.

    COMPANY is the id that its events carry, FLAG a name in the rules. The flag is judged as ever,
    and what it has come to counts again from the end on.
    """
    now = utc_now()
    ends_at = _end_of(until, for_long, now)
    if ends_at is None:
        raise click.UsageError("A snooze must end: say --until or --for.")
    grounds = Justification(reason, owner, current_user())
    with _changing(org, now) as (settings, organization_id, judging):
        target = FlagOfCompany(organization_id, company, flag)
        written = snooze(target, ends_at, grounds, judging)
    _tell(written, settings, as_json=as_json)


@flags.command("override")
@company_argument
@flag_argument
@click.option("--status", required=True, help="What it is to count as, such as 'Healthy'.")
@_grounds_options
@org_option
@json_option
def override_flag(
    company: str,
    flag: str,
    status: str,
    until: datetime | None,
    for_long: str | None,
    reason: str,
    owner: str,
    org: str,
    as_json: bool,
) -> None:
    """Let FLAG of COMPANY count as a status, for a while or until it is ended.

    COMPANY is the id that its events carry, FLAG a name in the rules.
    """
    now = utc_now()
    ends_at = _end_of(until, for_long, now)
    grounds = Justification(reason, owner, current_user())
    with _changing(org, now) as (settings, organization_id, judging):
        target = FlagOfCompany(organization_id, company, flag)
        written = override(target, status, ends_at, grounds, judging)
    _tell(written, settings, as_json=as_json)


@flags.command("end")
@company_argument
@flag_argument
@org_option
@json_option
def end_override(company: str, flag: str, org: str, as_json: bool) -> None:
    """Let FLAG of COMPANY count as it is judged again, from now on."""
    with _changing(org, utc_now()) as (settings, organization_id, judging):
        written = end(FlagOfCompany(organization_id, company, flag), current_user(), judging)
    _tell(written, settings, as_json=as_json)


@flags.command("list")
@click.option("--company", help="Only of this company, by the id that its events carry.")
@click.option("--all", "ended", is_flag=True, help="Also those that are over.")
@org_option
@json_option
def list_overrides(company: str | None, ended: bool, org: str, as_json: bool) -> None:
    """List the flags that are snoozed or overridden, the newest first."""
    with database_transaction():
        organization_id = find_organization(org).id
        wanted = companies.find(organization_id, company) if company is not None else None
        if company is not None and wanted is None:
            raise CommandError(f"There is no company with the id `{company}`.")
        found = flag_overrides.of_organization(
            organization_id, company_id=wanted.id if wanted else None, ended=ended
        )
    if as_json:
        print_json([{"company": one.company, **override_json(one.override)} for one in found])
        return
    rows = [
        {
            "company": f"{one.company_name} ({one.company})",
            "flag": one.override.flag,
            "counts_as": one.override.status or "snoozed",
            "since": one.override.starts_at,
            "until": one.override.over_at,
            **({"ended_by": one.override.ended_by} if ended else {}),
            "owner": one.override.owner,
            "reason": one.override.reason,
        }
        for one in found
    ]
    print_rows(rows, as_json=False, empty="No flag is snoozed or overridden.")


def told(one: StoredOverride) -> tuple[str, str]:
    """An override that is in force, for people: what it is, and the rest in words."""
    end = format_instant(one.ends_at) if one.ends_at else "it is ended,"
    rest = f"until {end} by {one.owner} because {one.reason}"
    return ("snoozed", rest) if one.kind is Kind.SNOOZE else ("set to", f"{one.status} {rest}")


@contextmanager
def _changing(org: str, now: datetime) -> Iterator[tuple[Settings, int, JudgingContext]]:
    """A transaction in which to change how flags count, and what that needs.

    Raises:
        CommandError: it cannot be done as asked, or Redis does not tell which events wait.
    """
    with database_transaction() as settings:
        organization_id = find_organization(org).id
        try:
            stored_until = Backlog(build_broker(settings.redis_url), utc_now).stored_until()
            yield settings, organization_id, JudgingContext(RuleBooks(), now, stored_until)
        except OverrideRefused as error:
            raise CommandError(str(error)) from None
        except RedisError as error:
            said = str(error).rstrip(".")
            raise CommandError(f"Redis does not answer: {said}. Nothing was changed.") from None


def _end_of(until: datetime | None, for_long: str | None, now: datetime) -> datetime | None:
    if until is not None and for_long is not None:
        raise click.UsageError("Say --until or --for, not both.")
    if for_long is None:
        return until
    try:
        return shift(now, parse_offset(for_long))
    except PhraseError as error:
        raise click.UsageError(f"--for: {error.message}") from None


def _tell(written: OverrideResult, settings: Settings, *, as_json: bool) -> None:
    """Ask for the deliveries, and say what was done."""
    enqueue_deliveries(settings, [(delivery_id, 1) for delivery_id in written.deliveries])
    one, company = written.override, written.company
    if as_json:
        now = {"health_status": company.health_status, "score": company.score}
        print_json({"company": company.external_id, **override_json(one), **now})
        return
    is_so = "is " + " ".join(told(one))
    if one.ended_at is not None:
        is_so = "counts as it is judged again"
    click.echo(f"{one.flag} of {company.name} ({company.external_id}) {is_so}.")
    if one.start_recorded and (one.ended_at is None or one.end_recorded):
        click.echo(f"{company.name} is {company.health_status}.")
    else:
        click.echo("Events wait to be stored; it counts as soon as they are.")
