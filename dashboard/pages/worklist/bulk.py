"""Actions on many items, of the worklist or of companies, and undoing the last one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from uuid_utils.compat import uuid7
from werkzeug.exceptions import ServiceUnavailable

from dashboard.access import Member, editor
from dashboard.pages.companies.page import address_of as companies_address
from dashboard.pages.companies.query import CompanyQuery
from dashboard.pages.worklist.frame import address_of, blueprint, book_of, today
from dashboard.pages.worklist.item import assignee
from dashboard.pages.worklist.query import WorklistQuery
from dashboard.web.addresses import safe_redirect_target
from dashboard.web.context import app_context, now
from dashboard.web.messages import enqueue_deliveries
from models.companies import company_list
from models.companies.external_ids import find_row_ids
from models.database import read_one_snapshot, transaction
from models.health.work_items import item_changes, item_list
from queues.backlog import Backlog
from rules.durations import pluralize
from services.accounts.audit import Maker
from services.health.overrides import JudgingContext
from services.notes.writing import NoteRefused
from services.rules.rule_books import RulesUnreadable
from services.work_items import edits, snoozes, undo
from services.work_items.assignees import Assignees
from services.work_items.edits import CHUNK, MOST_AT_ONCE, Edited, Editor, EditRefused
from services.work_items.states import State

Change = Callable[[Sequence[int], Editor], Edited]


@blueprint.post("/worklist/selected")
@editor
def change_selected(member: Member) -> ResponseReturnValue:
    """Change the selected items, or all that match the query."""
    query = WorklistQuery.from_query(request.form.get("query", ""))
    return _perform(member, iter(_items(member, query)), address_of(query))


@blueprint.post("/worklist/companies")
@editor
def change_companies(member: Member) -> ResponseReturnValue:
    """Change the items of the selected companies, or of all that match the query."""
    query = CompanyQuery.from_query(request.form.get("query", ""))
    back = safe_redirect_target(request.form.get("back")) or companies_address(query)
    return _perform(member, _items_of_companies(member, query), back)


@blueprint.post("/worklist/undo/<uuid:batch>")
@editor
def undo_last(member: Member, batch: UUID) -> ResponseReturnValue:
    """Undo an action of the member, where nobody has changed the same since."""
    with transaction():
        changes = item_changes.list_of_batch(member.organization.id, batch, member.person.id)
    if not undo.can_undo(changes):
        abort(404)
    by_item = {change.item_id: change for change in changes}

    def change(ids: Sequence[int], by: Editor) -> Edited:
        chosen = [by_item[item_id] for item_id in ids]
        return undo.undo(member.organization.id, chosen, by, _judging())

    by = Editor(Maker.of(member.person), now(), undoes=batch)
    edited = _in_chunks(iter(by_item), change, by)
    flash(_sentence(edited, "undone", "undone or changed since"))
    return redirect(safe_redirect_target(request.form.get("back")) or url_for(".page"), 303)


def _perform(member: Member, ids: Iterator[int], back: str) -> ResponseReturnValue:
    """Perform the chosen action on items, a chunk in each transaction, and say what was done."""
    batch = uuid7()
    try:
        change, done = _chosen_change(member)
        by = Editor(Maker.of(member.person), now(), batch, _form_id())
        edited = _in_chunks(ids, change, by)
    except (EditRefused, NoteRefused) as error:
        flash(str(error), "error")
        return redirect(back, 303)
    if not edited.changed + edited.same + edited.gone:
        flash("Nothing is selected that has a raised flag.", "error")
        return redirect(back, 303)
    message = {"text": _sentence(edited, done, "that way already")}
    if edited.changed and request.form.get("action") != "note":
        message |= {"undo": url_for(".undo_last", batch=batch), "back": back}
    flash(message)  # type: ignore[arg-type]
    return redirect(back, 303)


def _chosen_change(member: Member) -> tuple[Change, str]:
    """Return the action that the form asks for, and the participle that says that it was done."""
    organization_id = member.organization.id
    text = request.form.get("text", "")
    match request.form.get("action"):
        case "snooze":
            days = request.form.get("days", "7")
            if days not in map(str, snoozes.DAYS):
                raise EditRefused("Choose for how long to snooze.")
            context = _judging()
            until = context.now + timedelta(days=int(days))
            return (
                lambda ids, by: snoozes.snooze(organization_id, ids, until, text, by, context)
            ), f"snoozed for {pluralize(int(days), 'day')}"
        case "note":
            by_email = app_context().settings.smtp is not None
            return (
                lambda ids, by: edits.add_note(
                    member.organization, ids, text, by, by_email=by_email
                )
            ), "noted"
        case "assign":
            with transaction():
                edit = assignee(request.form.get("assignee", ""), Assignees(organization_id))
            done = f"assigned to {edit.shown}" if edit.shown else "left to the owner"
            return lambda ids, by: edits.apply(organization_id, ids, edit, by), done
        case State.SEEN | State.WORKING | State.DONE as state:
            edit = edits.state_edit(State(state))
            return (
                lambda ids, by: edits.apply(organization_id, ids, edit, by)
            ), f"marked {State(state).label.lower()}"
    raise EditRefused("Choose what to do.")


def _in_chunks(ids: Iterator[int], change: Change, by: Editor) -> Edited:
    """Change items, a chunk in each transaction, and enqueue the deliveries of each.

    Raises:
        EditRefused, NoteRefused: The change is not possible.
        ServiceUnavailable: Redis does not respond, or the rules cannot be read. Chunks before are
            changed.
    """
    total = Edited()
    ids = islice(ids, MOST_AT_ONCE)
    while chunk := list(islice(ids, CHUNK)):
        try:
            with transaction():
                edited = change(chunk, by)
        except RedisError:
            raise ServiceUnavailable("Redis does not respond. Try again in a moment.") from None
        except RulesUnreadable as error:
            raise ServiceUnavailable(f"{error}.") from None
        enqueue_deliveries(edited.deliveries)
        total.add(edited)
    return total


def _judging() -> JudgingContext:
    at = now()  # before the backlog is read, so that companies without one are judged until then
    try:
        backlog = Backlog(app_context().broker, now)
        stored_until = backlog.read().of
    except RedisError:
        raise ServiceUnavailable("Redis does not respond. Nothing was changed.") from None
    return JudgingContext(app_context().rulebooks, at, stored_until, backlog.oldest_unresolved)


def _items(member: Member, query: WorklistQuery) -> list[int]:
    """Return the chosen items; of all that match, the first ones of the list."""
    if not request.form.get("all"):
        return sorted({int(text) for text in request.form.getlist("item") if _is_id(text)})
    organization_id = member.organization.id
    with transaction():
        read_one_snapshot()
        book, assignees = book_of(member), Assignees(organization_id)
        item_filter = query.filter(assignees, member.person.id, now(), today())
        sorting = query.sortable(book.team).sorting(book.statuses)
        return item_list.list_ids_in_order(organization_id, item_filter, sorting, most=MOST_AT_ONCE)


def _items_of_companies(member: Member, query: CompanyQuery) -> Iterator[int]:
    organization_id = member.organization.id
    with transaction():
        if request.form.get("all"):
            book = book_of(member)
            query = query.sortable(book.team)
            company_filter = query.filter(book.statuses, member.owners, today())
            row_ids = company_list.list_ids_in_order(
                organization_id, company_filter, query.sorting(book.statuses)
            )
        else:
            chosen = request.form.getlist("company")[:MOST_AT_ONCE]
            row_ids = list(find_row_ids("companies", organization_id, chosen).values())
    for first in range(0, len(row_ids), CHUNK):
        with transaction():
            ids = item_list.find_ids_of_companies(organization_id, row_ids[first : first + CHUNK])
        yield from ids


def _form_id() -> UUID | None:
    try:
        return UUID(request.form.get("form_id", ""))
    except ValueError:
        return None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _sentence(edited: Edited, done: str, same: str) -> str:
    """Say how many items were changed, and how many were left out and why."""
    parts = [f"{pluralize(edited.changed, 'item')} {done}"]
    if edited.same:
        parts.append(f"{edited.same:,} left out: {same}")
    if edited.gone:
        parts.append(f"{edited.gone:,} left out: closed in the meantime")
    limit = edited.changed + edited.same + edited.gone >= MOST_AT_ONCE
    return "; ".join(parts) + "." + (f" {MOST_AT_ONCE:,} is the most at once." if limit else "")
