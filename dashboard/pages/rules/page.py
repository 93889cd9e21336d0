"""The current rules in an editor: checking, planning and applying a draft."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.files import HEALTH_RULES
from dashboard.access import Member, audit, editor, viewer
from dashboard.pages.rule_checks import check_draft, refused, url_keeper
from dashboard.pages.rules.editor import completions
from dashboard.pages.rules.flags import show_flags
from dashboard.pages.rules.frame import (
    Draft,
    blueprint,
    read_draft,
    show_conflict,
    show_outcome,
    show_page,
    version_in_force,
)
from dashboard.pages.rules.planning import plan_values
from dashboard.web.context import now, rules_in_force
from models.database import transaction
from rules.faults import RuleFileError
from services.notifications.rule_text import names_by_service
from services.rules.apply_rules import Origin, RulesChanged, apply_rules
from services.team_columns import unusable_fields


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the current rules, or an example to start from, in words or as a text."""
    version = version_in_force(member)
    text = version.source if version else HEALTH_RULES.read_text(encoding="utf-8")
    with transaction():
        book = rules_in_force(member.organization)
        unusable = unusable_fields(member.organization.id, book.team, book.team) if book else ()
    draft = Draft(text, member.organization.rules_version)
    as_text = request.args.get("view") == "text" or "line" in request.args
    show = show_page if as_text else show_flags
    return show(member, draft, unusable_fields=unusable)


@blueprint.get("/completions")
@viewer
def complete(member: Member) -> ResponseReturnValue:
    """Return what the editor offers as completions."""
    with transaction():
        book = rules_in_force(member.organization)
        destinations = names_by_service(member.organization.id)
    return completions(book, destinations)


@blueprint.post("/check")
@editor
def check(member: Member) -> ResponseReturnValue:
    """Check a draft for errors and warnings; answer with JSON if that is accepted, or a page."""
    draft = read_draft(member)
    checked = check_draft(member, draft)
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
        return show_conflict(member, draft)
    checked = check_draft(member, draft)
    if checked.book is None:
        return show_outcome(member, draft, 422, checked=checked)
    return show_outcome(member, draft, **plan_values(member, draft, checked.book))


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
                origin=Origin(
                    draft.began_from,
                    draft.brought_back,
                    in_dashboard=True,
                    keeper=url_keeper(member),
                ),
            )
            if applied.changed:
                action = "Rules rolled back" if draft.brought_back else "Rules applied"
                detail = {"to": draft.brought_back} if draft.brought_back else None
                audit.record(member, action, f"version {applied.version}", detail)
    except RuleFileError as error:
        return show_page(member, draft, 422, checked=refused(member, draft, error))
    except RulesChanged:
        return show_conflict(member, draft)
    if applied.changed:
        flash(f"Version {applied.version} is active. All companies are evaluated by it now.")
    else:
        flash(f"Version {applied.version} already contains these rules.")
    for kept in applied.kept_urls:
        flash(f"{str(kept)[0].upper()}{str(kept)[1:]}.")
    view = "text" if request.form.get("view") == "text" else None
    return redirect(url_for("rules.page", view=view), 303)
