"""The rules without YAML: the flags in words, with numbers to change, and a form for each.

Nothing is stored before a draft is applied: each request has the text that it starts from.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from dashboard.access import Member, editor
from dashboard.pages.rules.flag_form import (
    FlagForm,
    form_of,
    form_of_example,
    new_form,
    read_form,
)
from dashboard.pages.rules.flag_list import NUMBER, change_numbers_of, list_flags
from dashboard.pages.rules.frame import (
    Draft,
    blueprint,
    is_fragment,
    read_draft,
    show_conflict,
    show_page,
    version_in_force,
)
from dashboard.pages.rules.planning import plan_values
from dashboard.pages.rules.sent_events import EventOptions, read_event_options
from rules.book import RuleBook
from rules.edits import flags as flag_edits
from rules.edits.entries import RuleEditError
from rules.edits.flags import WrittenFlag, read_flags
from rules.file.rule_file import check_rules, read_rules
from rules.language.mistakes import PhraseError
from rules.language.templates import CHOICES, TEMPLATES
from services.rules.rule_examples import list_examples


def show_flags(
    member: Member, draft: Draft, fault: str | None = None, **more: Any
) -> ResponseReturnValue:
    """Render the flags of a draft in words, beside what it would change."""
    checked = check_rules(draft.text)
    if checked.book is None:
        return show_page(member, draft, 422, checked=checked)
    version = version_in_force(member)
    values: dict[str, Any] = {"statuses": checked.book.statuses, **more}
    if (version is None or version.source != draft.text) and member.may("editor"):
        values |= plan_values(member, draft, checked.book)
    values |= {"draft": draft, "version": version, "fault": fault}
    if is_fragment() and request.headers.get("HX-Target") == "outcome":
        return render_template("rules/changed.html", **values)
    return _render("rules/flags.html", flags=list_flags(draft.text), **values)


@blueprint.post("/flags")
@editor
def flags(member: Member) -> ResponseReturnValue:
    """Show the flags of a draft, after its numbers were changed, and a flag paused or removed."""
    return _edit(member, lambda draft: show_flags(member, replace(draft, text=_one_changed(draft))))


@blueprint.post("/flags/form")
@editor
def flag_form(member: Member) -> ResponseReturnValue:
    """Show the form of a flag, as it is or as it was filled in, beside what it would change."""

    def show(draft: Draft) -> ResponseReturnValue:
        book, written = _flag_of(draft)
        options = read_event_options(member, book)
        if "name" not in request.form or "example" in request.form:
            form = _opened(book, written, options)
        else:
            form = read_form(request.form, book, written)
        return _show_form(member, draft, form, book, options)

    return _edit(member, show)


@blueprint.post("/flags/save")
@editor
def save_flag(member: Member) -> ResponseReturnValue:
    """Put a flag into a draft as its form describes it, and show the flags."""

    def save(draft: Draft) -> ResponseReturnValue:
        book, written = _flag_of(draft)
        options = read_event_options(member, book)
        form = read_form(request.form, book, written).checked(book)
        if form.is_complete:
            try:
                return show_flags(member, replace(draft, text=_put(draft.text, form, options)))
            except RuleEditError as error:
                form = replace(form, faults=[str(error)])
        elif all(row.kind == "" for row in form.rows[:-1]):
            form = replace(
                form, faults=["Choose when the flag is raised, for one status at least."]
            )
        return _show_form(member, draft, form, book, options)

    return _edit(member, save)


@blueprint.post("/text")
@editor
def text(member: Member) -> ResponseReturnValue:
    """Show the text of a draft in the editor."""
    draft = read_draft(member)
    with suppress(RuleEditError):  # numbers can be corrected in the text
        draft = replace(draft, text=_with_numbers(draft.text))
    return show_page(member, draft)


def _edit(member: Member, show: Callable[[Draft], ResponseReturnValue]) -> ResponseReturnValue:
    """Show a draft with the numbers that were sent with it, unless it is outdated or has faults."""
    draft = read_draft(member)
    if draft.began_from != member.organization.rules_version:
        return show_conflict(member, draft)
    if check_rules(draft.text).book is None:
        return show_flags(member, draft)
    try:
        return show(replace(draft, text=_with_numbers(draft.text)))
    except RuleEditError as error:
        return show_flags(member, draft, str(error))


def _with_numbers(text: str) -> str:
    """Return a text with the numbers that were filled in.

    Raises:
        RuleEditError: one of them is no number, or makes no sense.
    """
    values = {
        int(place): value.strip()
        for name, value in request.form.items()
        for place in [name.removeprefix(NUMBER)]
        if name.startswith(NUMBER) and place.isascii() and place.isdigit() and len(place) < 7
    }
    return change_numbers_of(text, values) if values else text


def _one_changed(draft: Draft) -> str:
    """Return the text after the flag that a button names was paused, resumed or removed.

    Raises:
        RuleEditError: there is no such flag, or others refer to it.
    """
    form = request.form
    if "pause" in form:
        return flag_edits.set_paused(draft.text, form["pause"], paused=True)
    if "resume" in form:
        return flag_edits.set_paused(draft.text, form["resume"], paused=False)
    if "remove" in form:
        return flag_edits.remove_flag(draft.text, form["remove"])
    return draft.text


def _flag_of(draft: Draft) -> tuple[RuleBook, WrittenFlag | None]:
    """Return the book of a draft, and the flag that a form edits; None for a new one.

    Raises:
        RuleEditError: there is no such flag.
    """
    name = request.form.get("flag", "")
    if not name:
        return read_rules(draft.text), None
    for written in read_flags(draft.text):
        if written.flag.name == name:
            return read_rules(draft.text), written
    raise RuleEditError(f"There is no flag `{name}` any more.")


def _opened(book: RuleBook, written: WrittenFlag | None, options: EventOptions) -> FlagForm:
    """Return the form of a flag as it is, of a new one, or of one like that of an example."""
    if written is not None:
        return form_of(written, book)
    example_name, _, flag_name = request.form.get("example", "").partition("/")
    for example in list_examples():
        flag = example.book.flags_by_name.get(flag_name)
        if example.name == example_name and flag is not None:
            event = options.value_for(example.book, flag)
            return form_of_example(flag, example.book.statuses, book, event)
    return new_form(book)


def _put(text: str, form: FlagForm, options: EventOptions) -> str:
    """Return a text with the flag that a form describes.

    Raises:
        RuleEditError: that is not possible.
    """
    text, event = options.accept(text, form.event)
    try:
        edit = form.edit(read_rules(text), event)
    except PhraseError as error:
        raise RuleEditError(error.message) from None
    if form.former is None:
        return flag_edits.add_flag(text, edit)
    return flag_edits.change_flag(text, form.former, edit)


def _show_form(
    member: Member, draft: Draft, form: FlagForm, book: RuleBook, options: EventOptions
) -> ResponseReturnValue:
    """Render a form, beside what its flag would change if it is complete."""
    values: dict[str, Any] = {"statuses": book.statuses}
    checked = form.checked(book)
    if checked.is_complete and form.name.strip():
        try:
            planned = replace(draft, text=_put(draft.text, form, options))
        except RuleEditError as error:
            form = replace(form, faults=[str(error)])
        else:
            if planned.text != draft.text or draft.text != _source(member):
                values |= plan_values(member, planned, read_rules(planned.text))
    return _render(
        "rules/flag.html",
        draft=draft,
        version=version_in_force(member),
        form=form,
        options=options,
        examples=list_examples() if form.former is None else (),
        templates=TEMPLATES,
        choices=CHOICES,
        line=next(
            (w.flag.line for w in read_flags(draft.text) if w.flag.name == form.former), None
        ),
        **values,
    )


def _source(member: Member) -> str:
    version = version_in_force(member)
    return version.source if version else ""


def _render(template: str, **values: Any) -> Response:
    """Render a page, or for htmx what is below its heading."""
    return make_response(
        render_template(
            template, layout="rules/fragment.html" if is_fragment() else "layout.html", **values
        )
    )
