"""The versions of the rules with their differences, and bringing one back."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.pages.rules.page import Draft, blueprint, show_plan
from dashboard.presentation.differences import compare_texts
from dashboard.web.request_values import MAX_INTEGER, database_integer
from models.database import transaction
from models.organizations import rule_versions

PAGE = 25
COMPARED = 30
"""How many of the newest versions a version can be compared with."""


@blueprint.get("/versions")
@viewer
def versions(member: Member) -> ResponseReturnValue:
    """All versions, the newest first, with how much each changed."""
    before = request.args.get("before", type=database_integer)
    with transaction():
        found = rule_versions.page(member.organization.id, before=before, limit=PAGE + 1)
    former = {one.version: one.source for one in found}
    return render_template(
        "rules/versions.html",
        versions=[
            (one, compare_texts(former.get(one.version - 1, ""), one.source))
            for one in found[:PAGE]
        ],
        in_force=member.organization.rules_version,
        before=before,
        next_before=found[PAGE - 1].version if len(found) > PAGE else None,
    )


@blueprint.get(f"/versions/<int(max={MAX_INTEGER}):wanted>")
@viewer
def version(member: Member, wanted: int) -> ResponseReturnValue:
    """One version, compared with the one before it, or another."""
    against = request.args.get("against", wanted - 1, type=database_integer)
    with transaction():
        one = rule_versions.find(member.organization.id, wanted) or abort(404)
        newest = rule_versions.page(member.organization.id, limit=COMPARED)
        other = rule_versions.find(member.organization.id, against)
    if other is None and against != 0:
        abort(404)
    known = {v.version for v in newest} | {against, wanted - 1}
    return render_template(
        "rules/version.html",
        one=one,
        against=against,
        others=sorted(known - {wanted}, reverse=True),
        changes=compare_texts(other.source if other else "", one.source),
        in_force=member.organization.rules_version,
    )


@blueprint.post(f"/versions/<int(max={MAX_INTEGER}):wanted>/bring-back")
@editor
def bring_back(member: Member, wanted: int) -> ResponseReturnValue:
    """Say what bringing a version back would change; applying it is the next step."""
    with transaction():
        one = rule_versions.find(member.organization.id, wanted) or abort(404)
    return show_plan(member, Draft(one.source, member.organization.rules_version, one.version))
