"""The form of one flag: its fields as they are shown, and as they were filled in."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from rules.book import RuleBook
from rules.edits.flag_edit import KEPT, FlagEdit, Kept, applies_to_of
from rules.edits.flags import WrittenFlag
from rules.file.flag import ANY_EVENT
from rules.flags import Flag
from rules.language.mistakes import PhraseError
from rules.language.parser import parse_condition
from rules.language.templates import DEFAULTS, TEMPLATES, agree, take_apart, take_apart_duration
from rules.language.tree import Vocabulary
from rules.phrases.condition import Condition, format_number

NONE, AS_WRITTEN = "", "as written"
"""Kinds of a phrase besides those of the templates: there is none, or one without a form."""

RECOVER = "recover"
MOST_FIELDS = 20
"""Fields of `applies_to` in a form."""

KEY, SENT = "key.", "sent."
"""Prefixes of the values of `event`: a key of the rules, or a name that is sent."""


@dataclass(frozen=True)
class PhraseRow:
    """A phrase to fill in: that of a status by its level, or of `recover`.

    `written` is the phrase in words if it has no form. `fault` is what is wrong with what was
    filled in.
    """

    key: str
    kind: str = NONE
    parts: Mapping[str, str] = field(default_factory=dict)
    written: str | None = None
    fault: str | None = None

    def phrase(self, vocabulary: Vocabulary) -> str | Kept | None:
        """Return the phrase, None if there is none, or `KEPT` if it stays as it is written.

        Raises:
            PhraseError: it is incomplete or invalid.
        """
        if self.kind == AS_WRITTEN:
            return KEPT
        if self.kind not in TEMPLATES:
            return None
        phrase = TEMPLATES[self.kind].fill_in({**DEFAULTS, **self.parts})
        parse_condition(phrase, vocabulary)
        return phrase

    @property
    def is_begun(self) -> bool:
        """Whether anything was typed, apart from what was chosen."""
        return any(value.strip() for part, value in self.parts.items() if part not in DEFAULTS)


@dataclass(frozen=True)
class FlagForm:
    """A form; `former` is the name of the flag that it edits, None for a new one.

    Durations are pairs of a number and a unit; the number is empty if there is none.
    """

    former: str | None
    name: str
    event: str
    rows: Sequence[PhraseRow]
    lasting: tuple[str, str] = ("", "days")
    wait: tuple[str, str] = ("", "days")
    applies_to: Sequence[tuple[str, str]] = ()
    weight: str = ""
    note: str = ""
    faults: Sequence[str] = ()

    @property
    def recover(self) -> PhraseRow:
        """The row of `recover`, which is the last one."""
        return self.rows[-1]

    def checked(self, book: RuleBook) -> "FlagForm":
        """Return the form with the faults of its phrases."""
        vocabulary = Vocabulary(book.statuses)
        return replace(self, rows=[_checked(row, vocabulary) for row in self.rows])

    @property
    def is_complete(self) -> bool:
        """Whether nothing is wrong with what was filled in, as far as the form itself can see."""
        has_phrase = any(row.kind != NONE for row in self.rows[:-1])
        return has_phrase and not self.faults and not any(row.fault for row in self.rows)

    def edit(self, book: RuleBook, event: str | None) -> FlagEdit:
        """Return the flag that the form describes; `event` is its key.

        Raises:
            PhraseError: a phrase is incomplete or invalid.
        """
        vocabulary = Vocabulary(book.statuses)
        phrases = {int(row.key): row.phrase(vocabulary) for row in self.rows[:-1]}
        return FlagEdit(
            self.name.strip(),
            event,
            {level: text for level, text in phrases.items() if not isinstance(text, Kept)},
            recover=self.recover.phrase(vocabulary),
            lasting=_duration(self.lasting),
            new_company=_wait(self.wait),
            applies_to=dict(self._fields()),
            weight=self.weight.strip() or None,
            note=self.note.strip().replace("\r\n", "\n") or None,
        )

    def _fields(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for name, text in self.applies_to:
            values = tuple(
                value.strip()
                for value in next(csv.reader([text], skipinitialspace=True), [])
                if value.strip()
            )
            if name.strip() and values:
                known = name.strip()
                yield known if known.startswith("company.") else f"company.{known}", values


def _checked(row: PhraseRow, vocabulary: Vocabulary) -> PhraseRow:
    try:
        row.phrase(vocabulary)
    except PhraseError as error:
        return replace(row, fault=error.message)
    return row


def new_form(book: RuleBook) -> FlagForm:
    """Return the form of a new flag, with the first phrase to fill in."""
    levels = range(1, len(book.statuses))
    rows = [PhraseRow(str(level), "count" if level == 1 else NONE) for level in levels]
    return FlagForm(None, "", "", [*rows, PhraseRow(RECOVER)])


def form_of(written: WrittenFlag, book: RuleBook) -> FlagForm:
    """Return the form of a flag as it is written."""
    entries = written.entries
    form = _form(written.flag, book)
    event = str(entries["event"].value) if "event" in entries else ""
    return replace(
        form,
        former=written.flag.name,
        event=KEY + event if event else "",
        wait=form.wait if "new_company" in entries else ("", "days"),
        weight=form.weight if "weight" in entries else "",
    )


def form_of_example(flag: Flag, statuses: Sequence[str], book: RuleBook, event: str) -> FlagForm:
    """Return the form of a new flag like one of an example, whose statuses have other names.

    The worst status of the example is the worst one here; `event` is the value of its field.
    """
    shift = len(book.statuses) - len(statuses)
    conditions = tuple(
        (max(level + min(shift, 0), 1), condition) for level, condition in flag.conditions
    )
    adapted = replace(flag, conditions=conditions)
    return replace(_form(adapted, book), former=None, event=event)


def _form(flag: Flag, book: RuleBook) -> FlagForm:
    conditions = dict(flag.conditions)
    levels = range(1, len(book.statuses))
    return FlagForm(
        None,
        flag.name,
        KEY + (flag.selector.event_key or ANY_EVENT) if flag.counts_events else "",
        [
            *(_row(str(level), conditions.get(level)) for level in levels),
            _row(RECOVER, flag.recover),
        ],
        lasting=take_apart_duration(flag.lasting) if flag.lasting else ("", "days"),
        wait=_taken_apart_wait(flag.wait),
        applies_to=[(name, _joined(values)) for name, values in applies_to_of(flag).items()],
        weight=format_number(flag.weight) if flag.weight != 1 else "",
        note=flag.note or "",
    )


def _row(key: str, condition: Condition | None) -> PhraseRow:
    if condition is None:
        return PhraseRow(key)
    taken = take_apart(condition)
    if taken is None:
        return PhraseRow(key, AS_WRITTEN, written=str(condition))
    return PhraseRow(key, *taken)


def _joined(values: Sequence[str]) -> str:
    quoted = (
        f'"{value.replace(chr(34), chr(34) * 2)}"' if _needs_quotes(value) else value
        for value in values
    )
    return ", ".join(quoted)


def _needs_quotes(value: str) -> bool:
    return "," in value or '"' in value


def _taken_apart_wait(wait: timedelta) -> tuple[str, str]:
    return take_apart_duration(wait) if wait else ("0", "days")


def _duration(pair: tuple[str, str]) -> str | None:
    number, unit = pair
    return agree(f"{number.strip()} {unit}") if number.strip() else None


def _wait(pair: tuple[str, str]) -> str | None:
    if pair[0].strip() == "0":
        return "judge at once"
    duration = _duration(pair)
    return f"wait {duration}" if duration else None


def read_form(form: Mapping[str, str], book: RuleBook, written: WrittenFlag | None) -> FlagForm:
    """Return the form as it was filled in; `written` is the flag that it edits."""
    keys = [str(level) for level in range(1, len(book.statuses))] + [RECOVER]
    conditions = dict(written.flag.conditions) if written else {}
    former = {str(level): condition for level, condition in conditions.items()}
    if written and written.flag.recover:
        former[RECOVER] = written.flag.recover
    return FlagForm(
        written.flag.name if written else None,
        form.get("name", ""),
        form.get("event", ""),
        [_read_row(form, key, former.get(key)) for key in keys],
        lasting=(form.get("lasting", ""), form.get("lasting.unit", "days")),
        wait=(form.get("wait", ""), form.get("wait.unit", "days")),
        applies_to=[
            (form.get(f"field.{number}", ""), form.get(f"values.{number}", ""))
            for number in range(MOST_FIELDS)
            if form.get(f"field.{number}", "").strip()
        ],
        weight=form.get("weight", ""),
        note=form.get("note", ""),
    )


def _read_row(form: Mapping[str, str], key: str, former: Condition | None) -> PhraseRow:
    kind = form.get(f"kind.{key}", NONE)
    written = str(former) if former is not None and take_apart(former) is None else None
    if kind == AS_WRITTEN and written is None:
        kind = NONE
    if kind not in TEMPLATES:
        return PhraseRow(key, kind if kind == AS_WRITTEN else NONE, written=written)
    names = [part for _, part in TEMPLATES[kind].parts if part]
    parts = {name: form.get(f"part.{key}.{name}", DEFAULTS.get(name, "")) for name in names}
    return PhraseRow(key, kind, parts, written=written)
