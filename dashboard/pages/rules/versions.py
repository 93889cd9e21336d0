"""The versions of the rules with their differences, and rollback to one of them."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.pages.rules.frame import Draft, blueprint
from dashboard.pages.rules.page import show_plan
from dashboard.presentation.differences import compare_texts
from dashboard.web.request_values import MAX_INTEGER, database_integer
from models.database import transaction
from models.organizations import rule_versions

PAGE = 25
COMPARED = 30
"""The number of newest versions that a version can be compared with."""


@blueprint.get("/versions")
@viewer
def versions(member: Member) -> ResponseReturnValue:
    """Show all versions, newest first, with the number of changed lines."""
    before = request.args.get("before", type=database_integer)
    with transaction():
        newest = rule_versions.read_page(member.organization.id, before=before, limit=PAGE + 1)
    sources = {version.version: version.source for version in newest}
    return render_template(
        "rules/versions.html",
        versions=[
            (version, compare_texts(sources.get(version.version - 1, ""), version.source))
            for version in newest[:PAGE]
        ],
        in_force=member.organization.rules_version,
        before=before,
        next_before=newest[PAGE - 1].version if len(newest) > PAGE else None,
    )


@blueprint.get(f"/versions/<int(max={MAX_INTEGER}):number>")
@viewer
def version(member: Member, number: int) -> ResponseReturnValue:
    """Show a version, compared with the one before it, or another."""
    against = request.args.get("against", number - 1, type=database_integer)
    with transaction():
        shown = rule_versions.find(member.organization.id, number) or abort(404)
        newest = rule_versions.read_page(member.organization.id, limit=COMPARED)
        other = rule_versions.find(member.organization.id, against)
    if other is None and against != 0:
        abort(404)
    numbers = {version.version for version in newest} | {against, number - 1}
    return render_template(
        "rules/version.html",
        shown=shown,
        against=against,
        others=sorted(numbers - {number}, reverse=True),
        changes=compare_texts(other.source if other else "", shown.source),
        in_force=member.organization.rules_version,
    )


@blueprint.post(f"/versions/<int(max={MAX_INTEGER}):number>/bring-back")
@editor
def bring_back(member: Member, number: int) -> ResponseReturnValue:
    """Show what a rollback to a version would change; applying it is the next step."""
    with transaction():
        shown = rule_versions.find(member.organization.id, number) or abort(404)
    return show_plan(member, Draft(shown.source, member.organization.rules_version, shown.version))
