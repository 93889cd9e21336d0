"""Rules: the file in force in an editor, tried before it is applied."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from config.files import HEALTH_RULES
from dashboard.access import Member, audit, editor, viewer
from dashboard.pages.rules.editor import as_written, completions, import_map, new_nonce, policy_with
from dashboard.pages.rules.trials import Patience, make_plan, replay_some
from dashboard.presentation.charts.paired_columns import Step, draw_paired_columns
from dashboard.presentation.differences import compare_texts
from dashboard.web.context import now, rules_in_force
from dashboard.web.request_values import database_integer
from models.database import transaction
from models.health import flag_overrides
from models.organizations import rule_versions
from models.organizations.rule_versions import RuleVersion
from rules.faults import RuleFileError
from rules.file.rule_file import check_rules
from services.rules.apply_rules import Origin, RulesChanged, apply_rules
from services.rules.backtest import ReplayPeriod

blueprint = Blueprint("rules", __name__, url_prefix="/o/<name:organization>/rules")

SHOWN_COMPANIES = 50
SPANS = (30, 90, 180)
"""Days that a backtest can go back here."""


@dataclass(frozen=True)
class Draft:
    """A text at work, the version that it began from, and the one that it brings back, if any."""

    text: str
    began_from: int
    brought_back: int | None = None


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """The rules in force."""
    version = _in_force(member)
    text = version.source if version else HEALTH_RULES.read_text(encoding="utf-8")
    return _page(member, Draft(text, member.organization.rules_version))


@blueprint.get("/completions")
@viewer
def complete(member: Member) -> ResponseReturnValue:
    """What the editor offers while one types."""
    with transaction():
        book = rules_in_force(member.organization)
    return completions(book)


@blueprint.post("/check")
@editor
def check(member: Member) -> ResponseReturnValue:
    """Every fault and doubt of a text: as JSON where that is asked for, else as a page."""
    draft = _draft(member)
    checked = check_rules(draft.text)
    wanted = request.accept_mimetypes
    if wanted.quality("application/json") > wanted.quality("text/html"):
        return {
            "faults": [vars(fault) for fault in checked.faults],
            "doubts": [vars(doubt) for doubt in checked.warnings],
        }
    return _page(member, draft, checked=checked)


@blueprint.post("/plan")
@editor
def plan(member: Member) -> ResponseReturnValue:
    """Which companies a text would change, and applying it."""
    return show_plan(member, _draft(member))


def show_plan(member: Member, draft: Draft) -> ResponseReturnValue:
    """Which companies a draft would change, with the button to apply it."""
    if draft.began_from != member.organization.rules_version:
        return _conflict(member, draft)
    checked = check_rules(draft.text)
    if checked.book is None:
        return _outcome(member, draft, 422, checked=checked)
    found = make_plan(member.organization, checked.book, now(), Patience())
    version = _in_force(member)
    return _outcome(
        member,
        draft,
        checked=checked,
        plan=found,
        shown=SHOWN_COMPANIES,
        statuses=checked.book.statuses,
        same=version is not None and version.source == draft.text,
        changes=compare_texts(version.source if version else "", draft.text),
    )


@blueprint.post("/apply")
@editor
def apply(member: Member) -> ResponseReturnValue:
    """Put a text in force, unless another version came meanwhile."""
    draft = _draft(member)
    try:
        with transaction():
            applied = apply_rules(
                member.organization.id,
                draft.text,
                file="rules",
                applied_by=member.person.email,
                now=now(),
                origin=Origin(draft.began_from, draft.brought_back, in_dashboard=True),
            )
            if applied.changed:
                action = "Rules rolled back" if draft.brought_back else "Rules applied"
                detail = {"to": draft.brought_back} if draft.brought_back else None
                audit.record(member, action, f"version {applied.version}", detail)
    except RuleFileError:
        return _page(member, draft, 422, checked=check_rules(draft.text))
    except RulesChanged:
        return _conflict(member, draft)
    if applied.changed:
        flash(f"Version {applied.version} is active. All companies are evaluated by it now.")
    else:
        flash(f"Version {applied.version} already contains these rules.")
    return redirect(url_for("rules.page"), 303)


@blueprint.post("/backtest")
@editor
def backtest(member: Member) -> ResponseReturnValue:
    """What a text would have said of the last months."""
    draft = _draft(member)
    checked = check_rules(draft.text)
    if checked.book is None:
        return _outcome(member, draft, 422, checked=checked)
    days = request.form.get("days", type=int)
    days = days if days in SPANS else SPANS[1]
    until = now()
    stretch = ReplayPeriod(until - timedelta(days=days), until)
    report, of = replay_some(member.organization, checked.book, stretch, Patience())
    with transaction():
        left_out = flag_overrides.count_between(
            member.organization.id, since=stretch.since, until=stretch.until
        )
    weeks = report.weeks()
    return _outcome(
        member,
        draft,
        checked=checked,
        report=report,
        of=of,
        days=days,
        overrides_left_out=left_out,
        weeks=weeks,
        chart=draw_paired_columns(_by_week(weeks, stretch), ("raised", "cleared")),
    )


def _by_week(weeks: list[dict[str, Any]], stretch: ReplayPeriod) -> list[Step]:
    """All flags together, for each week of the stretch."""
    steps = []
    at = stretch.since
    while at < stretch.until:
        day = f"{at:%Y-%m-%d}"
        rows = [row for row in weeks if row["week_from"] == day]
        steps.append(
            Step(
                f"{at.day} {at:%b}",
                sum(row["raised"] for row in rows),
                sum(row["cleared"] for row in rows),
            )
        )
        at += timedelta(weeks=1)
    return steps


def _draft(member: Member) -> Draft:
    """What the form brings, with the line breaks of the version that it began from."""
    began_from = request.form.get("began_from", -1, type=database_integer)
    with transaction():
        version = rule_versions.find(member.organization.id, began_from)
    text = as_written(request.form.get("text", ""), version.source if version else "")
    return Draft(text, began_from, request.form.get("brought_back", type=database_integer))


def _in_force(member: Member) -> RuleVersion | None:
    with transaction():
        return rule_versions.find(member.organization.id, member.organization.rules_version)


def _conflict(member: Member, draft: Draft) -> ResponseReturnValue:
    """Both texts with their difference; nothing was applied."""
    with transaction():
        [theirs] = rule_versions.page(member.organization.id, limit=1)
        base = rule_versions.find(member.organization.id, draft.began_from)
    over = Draft(draft.text, theirs.version, draft.brought_back)
    shown = {
        "former": draft.began_from,
        "theirs": theirs,
        "between": compare_texts(theirs.source, draft.text),
        "their_changes": compare_texts(base.source if base else "", theirs.source),
    }
    if "HX-Request" in request.headers:
        return render_template("rules/conflict_outcome.html", draft=over, **shown)
    return _page(member, over, 409, template="rules/conflict.html", **shown)


def _outcome(member: Member, draft: Draft, status: int = 200, **shown: Any) -> Response:
    """What came of a trial: beneath the editor, or as the whole page without scripts."""
    if "HX-Request" not in request.headers:
        return _page(member, draft, status, **shown)
    page = render_template("rules/outcome.html", draft=draft, version=_in_force(member), **shown)
    return make_response(page)  # htmx leaves out what comes with an error


def _page(
    member: Member,
    draft: Draft,
    status: int = 200,
    template: str = "rules/page.html",
    **shown: Any,
) -> Response:
    nonce = new_nonce()
    page = render_template(
        template,
        draft=draft,
        version=_in_force(member),
        spans=SPANS,
        nonce=nonce,
        import_map=import_map(),
        **shown,
    )
    return make_response(page, status, {"Content-Security-Policy": policy_with(nonce)})
