"""The current rules in an editor: checking, planning and applying a draft."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config.files import HEALTH_RULES
from dashboard.access import Member, audit, editor, viewer
from dashboard.pages.rules.editor import completions
from dashboard.pages.rules.frame import (
    Draft,
    blueprint,
    is_fragment,
    read_draft,
    show_outcome,
    show_page,
    version_in_force,
)
from dashboard.pages.rules.trials import Deadline, plan_within
from dashboard.presentation.differences import compare_texts
from dashboard.web.context import now, rules_in_force
from models.database import transaction
from models.organizations import rule_versions
from rules.faults import RuleFileError
from rules.file.rule_file import check_rules
from services.rules.apply_rules import Origin, RulesChanged, apply_rules
from services.team_columns import unusable_fields

SHOWN_COMPANIES = 50


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the current rules, or an example to start from."""
    version = version_in_force(member)
    text = version.source if version else HEALTH_RULES.read_text(encoding="utf-8")
    with transaction():
        book = rules_in_force(member.organization)
        unusable = unusable_fields(member.organization.id, book.team, book.team) if book else ()
    draft = Draft(text, member.organization.rules_version)
    return show_page(member, draft, unusable_fields=unusable)


@blueprint.get("/completions")
@viewer
def complete(member: Member) -> ResponseReturnValue:
    """Return what the editor offers as completions."""
    with transaction():
        book = rules_in_force(member.organization)
    return completions(book)


@blueprint.post("/check")
@editor
def check(member: Member) -> ResponseReturnValue:
    """Check a draft for errors and warnings; answer with JSON if that is accepted, or a page."""
    draft = read_draft(member)
    checked = check_rules(draft.text)
    accepted = request.accept_mimetypes
    if accepted.quality("application/json") > accepted.quality("text/html"):
        return {
            "faults": [vars(fault) for fault in checked.faults],
            "warnings": [vars(warning) for warning in checked.warnings],
        }
    return show_page(member, draft, checked=checked)


@blueprint.post("/plan")
@editor
def plan(member: Member) -> ResponseReturnValue:
    """Show which companies a draft would change, with the button to apply it."""
    return show_plan(member, read_draft(member))


def show_plan(member: Member, draft: Draft) -> ResponseReturnValue:
    """Render which companies a draft would change, with the button to apply it."""
    if draft.began_from != member.organization.rules_version:
        return _show_conflict(member, draft)
    checked = check_rules(draft.text)
    if checked.book is None:
        return show_outcome(member, draft, 422, checked=checked)
    planned = plan_within(Deadline(), member.organization, checked.book, now())
    version = version_in_force(member)
    return show_outcome(
        member,
        draft,
        checked=checked,
        plan=planned,
        shown=SHOWN_COMPANIES,
        statuses=checked.book.statuses,
        same=version is not None and version.source == draft.text,
        changes=compare_texts(version.source if version else "", draft.text),
    )


@blueprint.post("/apply")
@editor
def apply(member: Member) -> ResponseReturnValue:
    """Apply a draft, unless another version was applied in the meantime."""
    draft = read_draft(member)
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
        return show_page(member, draft, 422, checked=check_rules(draft.text))
    except RulesChanged:
        return _show_conflict(member, draft)
    if applied.changed:
        flash(f"Version {applied.version} is active. All companies are evaluated by it now.")
    else:
        flash(f"Version {applied.version} already contains these rules.")
    return redirect(url_for("rules.page"), 303)


def _show_conflict(member: Member, draft: Draft) -> ResponseReturnValue:
    """Render the difference to a version that was applied in the meantime; nothing was applied."""
    with transaction():
        newest = rule_versions.read_page(member.organization.id, limit=1)
        base = rule_versions.find(member.organization.id, draft.began_from)
    if not newest:
        abort(400)  # there is no version that the draft can have begun from
    [theirs] = newest
    rebased = Draft(draft.text, theirs.version, draft.brought_back)
    values = {
        "former": draft.began_from,
        "theirs": theirs,
        "between": compare_texts(theirs.source, draft.text),
        "their_changes": compare_texts(base.source if base else "", theirs.source),
    }
    if is_fragment():
        return render_template("rules/conflict_outcome.html", draft=rebased, **values)
    return show_page(member, rebased, 409, template="rules/conflict.html", **values)
