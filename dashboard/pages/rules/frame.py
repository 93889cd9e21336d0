"""What the pages of rules share: their URLs, drafts, and the page around the editor."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, make_response, render_template, request
from werkzeug.wrappers import Response

from dashboard.access import Member
from dashboard.pages.rules.editor import (
    as_written,
    import_map,
    module_addresses,
    new_nonce,
    policy_with,
)
from dashboard.presentation.differences import compare_texts
from dashboard.web.request_values import database_integer
from models.database import transaction
from models.organizations import rule_versions
from models.organizations.rule_versions import RuleVersion
from rules.faults import hide_urls

blueprint = Blueprint("rules", __name__, url_prefix="/o/<name:organization>/rules")

SPANS = (30, 90, 180, 365)
"""The periods of a backtest to choose from, in days."""


@dataclass(frozen=True)
class Draft:
    """A text being edited, the version it started from, and the one it rolls back to, if any."""

    text: str
    began_from: int
    brought_back: int | None = None


def read_draft(member: Member) -> Draft:
    """Read the form, with the line breaks of the version that the text started from."""
    began_from = request.form.get("began_from", -1, type=database_integer)
    version = _find_version(member, began_from)
    text = as_written(request.form.get("text", ""), version.source if version else "")
    return Draft(text, began_from, request.form.get("brought_back", type=database_integer))


def version_in_force(member: Member) -> RuleVersion | None:
    """Return the current version of the rules; None if none was ever applied."""
    return _find_version(member, member.organization.rules_version)


def _find_version(member: Member, number: int) -> RuleVersion | None:
    """Return a version of the rules; it never changes, so a request reads it once."""
    read: dict[int, RuleVersion | None] = g.setdefault("rule_versions", {})
    if number not in read:
        with transaction():
            read[number] = rule_versions.find(member.organization.id, number)
    return read[number]


def is_fragment() -> bool:
    """Whether htmx requests the outcome alone, to show it below the editor."""
    return "HX-Request" in request.headers


def show_outcome(member: Member, draft: Draft, status: int = 200, **values: Any) -> Response:
    """Render the outcome of a trial: below the editor, or without scripts as the whole page."""
    if not is_fragment():
        return show_page(member, draft, status, **values)
    # htmx does not show the content of an error, so the status is 200.
    return make_response(
        render_template(
            "rules/outcome.html",
            draft=draft,
            version=version_in_force(member),
            view="text",
            **values,
        )
    )


def show_page(
    member: Member,
    draft: Draft,
    status: int = 200,
    template: str = "rules/page.html",
    **values: Any,
) -> Response:
    """Render a page with the editor."""
    nonce = new_nonce()
    page = render_template(
        template,
        draft=draft,
        version=version_in_force(member),
        view="text",
        spans=SPANS,
        nonce=nonce,
        import_map=import_map(),
        editor_modules=module_addresses(),
        line=request.values.get("line", type=database_integer),
        **values,
    )
    return make_response(page, status, {"Content-Security-Policy": policy_with(nonce)})


def show_conflict(member: Member, draft: Draft) -> Response:
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
        "between": compare_texts(theirs.source, hide_urls(draft.text)),
        "their_changes": compare_texts(base.source if base else "", theirs.source),
    }
    if is_fragment():
        outcome = render_template("rules/conflict_outcome.html", draft=rebased, **values)
        # Where the request was about the whole page, the draft stays.
        return make_response(outcome, {"HX-Retarget": "#outcome", "HX-Reswap": "innerHTML"})
    return show_page(member, rebased, 409, template="rules/conflict.html", **values)
