"""`brazebee flags`: snoozes and overrides a company's flags, and ends snoozes and overrides."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from redis.exceptions import RedisError

from cli.connection import database_transaction, find_organization
from cli.endpoints import enqueue_deliveries
from cli.errors import CommandError
from cli.option_types import Instant, current_user
from cli.output import json_option, org_option, print_json, print_rows, print_text
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


def _justification_options(command: Command) -> Command:
    """Add the options for the end, the reason and the owner of an override."""
    for option in (
        click.option("--owner", required=True, help="Who is responsible, such as an email."),
        click.option("--reason", required=True, help="The reason, for your colleagues."),
        click.option("--for", "duration", metavar="DURATION",
                     help="How long, such as '2 weeks'."),
        click.option("--until", type=Instant(),
                     help="The end, in ISO 8601; UTC unless it has an offset."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("flags")
def flags() -> None:
    """Flags of a company: snooze a flag for a while, or override its status."""


@flags.command("snooze")
@company_argument
@flag_argument
@_justification_options
@org_option
@json_option
def snooze_flag(
    company: str,
    flag: str,
    until: datetime | None,
    duration: str | None,
    reason: str,
    owner: str,
    org: str,
    as_json: bool,
) -> None:
    """Ignore FLAG of COMPANY for a while: it does not count, and its changes are not reported.

    COMPANY is the id that its events carry, FLAG a name in the rules. The flag is still evaluated,
    and counts again once the snooze has ended.
    """
    now = utc_now()
    ends_at = _end_of(until, duration, now)
    if ends_at is None:
        raise click.UsageError("A snooze must end: use --until or --for.")
    justification = Justification(reason, owner, current_user())
    with _changing(org, now) as (settings, organization_id, judging):
        target = FlagOfCompany(organization_id, company, flag)
        result = snooze(target, ends_at, justification, judging)
    _print_result(result, settings, as_json=as_json)


@flags.command("override")
@company_argument
@flag_argument
@click.option("--status", required=True, help="The status to count, such as 'Healthy'.")
@_justification_options
@org_option
@json_option
def override_flag(
    company: str,
    flag: str,
    status: str,
    until: datetime | None,
    duration: str | None,
    reason: str,
    owner: str,
    org: str,
    as_json: bool,
) -> None:
    """Count FLAG of COMPANY as a status, for a while or until the override is ended.

    COMPANY is the id that its events carry, FLAG a name in the rules.
    """
    now = utc_now()
    ends_at = _end_of(until, duration, now)
    justification = Justification(reason, owner, current_user())
    with _changing(org, now) as (settings, organization_id, judging):
        target = FlagOfCompany(organization_id, company, flag)
        result = override(target, status, ends_at, justification, judging)
    _print_result(result, settings, as_json=as_json)


@flags.command("end")
@company_argument
@flag_argument
@org_option
@json_option
def end_override(company: str, flag: str, org: str, as_json: bool) -> None:
    """End the snooze or override of FLAG of COMPANY: it counts as evaluated again."""
    with _changing(org, utc_now()) as (settings, organization_id, judging):
        result = end(FlagOfCompany(organization_id, company, flag), current_user(), judging)
    _print_result(result, settings, as_json=as_json)


@flags.command("list")
@click.option("--company", help="Only flags of this company, by the id that its events carry.")
@click.option("--all", "ended", is_flag=True, help="Include those that have ended.")
@org_option
@json_option
def list_overrides(company: str | None, ended: bool, org: str, as_json: bool) -> None:
    """List the flags that are snoozed or overridden, newest first."""
    with database_transaction():
        organization_id = find_organization(org).id
        company_id = None
        if company is not None:
            stored_company = companies.find(organization_id, company)
            if stored_company is None:
                raise CommandError(f"There is no company with the id `{company}`.")
            company_id = stored_company.id
        overrides = flag_overrides.list_for_organization(
            organization_id, company_id=company_id, ended=ended
        )
    if as_json:
        print_json(
            [{"company": entry.company, **override_json(entry.override)} for entry in overrides]
        )
        return
    rows = [
        {
            "company": f"{entry.company_name} ({entry.company})",
            "flag": entry.override.flag,
            "counts_as": entry.override.status or "snoozed",
            "since": entry.override.starts_at,
            "until": entry.override.over_at,
            **({"ended_by": entry.override.ended_by} if ended else {}),
            "owner": entry.override.owner,
            "reason": entry.override.reason,
        }
        for entry in overrides
    ]
    print_rows(rows, as_json=False, empty="No flag is snoozed or overridden.")


def describe_override(override: StoredOverride) -> tuple[str, str]:
    """Return what an override in force does, and its end, owner and reason."""
    end = format_instant(override.ends_at) if override.ends_at else "it is ended,"
    rest = f"until {end} by {override.owner} because {override.reason}"
    if override.kind is Kind.SNOOZE:
        return "snoozed", rest
    return "set to", f"{override.status} {rest}"


@contextmanager
def _changing(org: str, now: datetime) -> Iterator[tuple[Settings, int, JudgingContext]]:
    """Open a transaction for a change of overrides; yield what the change needs.

    Raises:
        CommandError: the change is refused, or Redis, which has waiting events, does not answer.
    """
    with database_transaction() as settings:
        organization_id = find_organization(org).id
        try:
            backlog = Backlog(build_broker(settings.redis_url), utc_now)
            context = JudgingContext(RuleBooks(), now, backlog.read().of, backlog.oldest_unresolved)
            yield settings, organization_id, context
        except OverrideRefused as error:
            raise CommandError(str(error)) from None
        except RedisError as error:
            reason = str(error).rstrip(".")
            raise CommandError(f"Redis does not answer: {reason}. Nothing was changed.") from None


def _end_of(until: datetime | None, duration: str | None, now: datetime) -> datetime | None:
    if until is not None and duration is not None:
        raise click.UsageError("Use --until or --for, not both.")
    if duration is None:
        return until
    try:
        return shift(now, parse_offset(duration))
    except PhraseError as error:
        raise click.UsageError(f"--for: {error.message}") from None


def _print_result(result: OverrideResult, settings: Settings, *, as_json: bool) -> None:
    """Enqueue the deliveries, and print what was changed."""
    enqueue_deliveries(settings, list(result.deliveries))
    override, company = result.override, result.company
    if as_json:
        health = {"health_status": company.health_status, "score": company.score}
        print_json({"company": company.external_id, **override_json(override), **health})
        return
    change = "is " + " ".join(describe_override(override))
    if override.ended_at is not None:
        change = "counts as evaluated again"
    print_text(f"{override.flag} of {company.name} ({company.external_id}) {change}.")
    if override.start_recorded and (override.ended_at is None or override.end_recorded):
        print_text(f"{company.name} is {company.health_status}.")
    else:
        click.echo("Events are waiting to be stored; the change counts as soon as they are.")
