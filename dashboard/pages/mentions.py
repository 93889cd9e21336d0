"""Mentions: the notes in which colleagues mention the reader, and which of them are unread.

Only a request that browsers never send ahead, a POST, marks notes as read.
"""

from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.access import Member, editor, viewer
from dashboard.web.context import now
from dashboard.web.request_values import page_cursor
from models.database import transaction
from models.people import mentions

blueprint = Blueprint("mentions", __name__, url_prefix="/o/<name:organization>/mentions")

PAGE = 20

OFFERED = 8
"""Members that are offered for what somebody types."""

LONGEST = 200
"""Characters of a text that is searched for."""


@blueprint.get("")
@viewer
def page(member: Member) -> ResponseReturnValue:
    """Show the notes that mention the reader, newest first."""
    unread_only = request.args.get("show") == "unread"
    after = page_cursor()
    with transaction():
        listed, next_cursor = mentions.read_page(
            member.organization.id,
            member.person.id,
            unread_only=unread_only,
            after=after,
            limit=PAGE,
        )
    show = "unread" if unread_only else None
    return render_template(
        "mentions/page.html",
        mentions=listed,
        show=show,
        after=after,
        next=url_for(".page", show=show, after=next_cursor) if next_cursor else None,
        first=url_for(".page", show=show) if after else None,
    )


@blueprint.post("/<int:note_id>/read")
@viewer
def mark_read(member: Member, note_id: int) -> ResponseReturnValue:
    """Mark one note as read."""
    with transaction():
        mentions.mark_read(member.organization.id, member.person.id, note_id, now())
    show, after = (request.form.get(name) or None for name in ("show", "after"))
    return redirect(url_for(".page", show=show, after=after, _anchor=f"note-{note_id}"), 303)


@blueprint.post("/read")
@viewer
def mark_all_read(member: Member) -> ResponseReturnValue:
    """Mark all notes as read that the reader may have seen: up to the newest on the page."""
    try:
        until = datetime.fromisoformat(request.form.get("until", ""))
    except ValueError:
        abort(400)
    if until.tzinfo is None:
        abort(400)
    with transaction():
        mentions.mark_all_read(member.organization.id, member.person.id, until, now())
    return redirect(url_for(".page"), 303)


@blueprint.get("/people")
@editor
def people(member: Member) -> ResponseReturnValue:
    """Return the members that a text may mean, as options of a list, while somebody types it."""
    text = request.args.get("q", "").strip()[:LONGEST]
    with transaction():
        found = mentions.find_members(member.organization.id, text, limit=OFFERED)
    return render_template("mentions/people.html", found=found)
