"""The flags of a draft in words, with their numbers as fields to fill in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml.nodes import Node

from rules.book import RuleBook
from rules.durations import format_duration
from rules.edits.entries import RuleEditError
from rules.edits.flags import WrittenFlag, read_flags
from rules.edits.numbers import (
    STARTS,
    Combination,
    Number,
    Words,
    change_numbers,
    number_of,
    words_of,
)
from rules.edits.positions import entries_of
from rules.file.rule_file import read_rules
from rules.flags import Flag
from rules.phrases.fields import format_value
from rules.wording.counted_events import describe_events

NUMBER = "number."
"""Prefix of the fields with numbers; their place among all numbers of the text follows."""


@dataclass(frozen=True)
class NumberField:
    """A number to fill in: its name in the form, its value, and a label of its own."""

    name: str
    value: str
    label: str


@dataclass(frozen=True)
class Phrase:
    """A phrase: pieces of text and numbers, or `all`, `any` or `not` with its parts."""

    pieces: Sequence[str | NumberField] = ()
    word: str | None = None
    parts: Sequence["Phrase"] = ()


@dataclass(frozen=True)
class FlagCard:
    """A flag in words.

    `raised` has the phrase of each status, mildest first. `further` are its other keys in words, as
    pairs of a title and a phrase. `line` is where it begins in the text.
    """

    name: str
    line: int
    paused: bool
    counts: str | None
    raised: Sequence[tuple[str, Phrase]]
    further: Sequence[tuple[str, Phrase]]
    note: str | None


def list_flags(text: str) -> list[FlagCard]:
    """Return the flags of a text in their order.

    Raises:
        RuleEditError: the text has faults.
    """
    reader = _Reader(text)
    return [reader.card(written) for written in read_flags(text)]


def change_numbers_of(text: str, values: dict[int, str]) -> str:
    """Return the text with other values for its numbers, by their place among them.

    Raises:
        RuleEditError: the text has faults or would have, a value is no number, or there are fewer.
    """
    reader = _Reader(text)
    for written in read_flags(text):
        reader.card(written)
    found = reader.numbers
    if any(place >= len(found) for place in values):
        raise RuleEditError("The rules have changed meanwhile; open the page again.")
    changed = {found[place].start: value for place, value in values.items()}
    return change_numbers(text, found, changed)


class _Reader:
    """Reads flags in order, and collects the numbers in their phrases."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.book: RuleBook = read_rules(text)
        self.numbers: list[Number] = []

    def card(self, written: WrittenFlag) -> FlagCard:
        flag, entries = written.flag, written.entries
        phrases = entries_of(entries["when"])
        names = self.book.statuses
        raised = [
            (names[level], self._phrase(phrases[names[level]][1], f"{flag.name}, {names[level]}"))
            for level, _ in reversed(flag.conditions)
        ]
        return FlagCard(
            flag.name,
            flag.line,
            written.paused,
            describe_events(self.book, flag) if flag.counts_events else None,
            raised,
            list(self._further(flag, entries)),
            flag.note,
        )

    def _further(self, flag: Flag, entries: Mapping[str, Node]) -> Iterator[tuple[str, Phrase]]:
        for key, title in (
            ("recover", "Recovers"),
            ("for", "Lasting"),
            ("ignore_if", "Ignored if"),
        ):
            if key in entries:
                yield title, self._phrase(entries[key], f"{flag.name}, {title}", STARTS[key])
        if "new_company" in entries:
            start = STARTS["new_company"]
            yield "New companies", self._phrase(entries["new_company"], f"{flag.name}, wait", start)
        elif flag.wait:
            yield "New companies", Phrase((f"wait {format_duration(flag.wait)}, as all flags",))
        for path, values in flag.applies_to:
            alternatives = " or ".join(format_value(value) for value in values)
            yield "Only", Phrase((f"company.{'.'.join(path)} is {alternatives}",))
        if flag.if_missing is not None:
            yield "Without data", Phrase((self.book.statuses[flag.if_missing],))
        if "weight" in entries:
            number = number_of(self.text, entries["weight"])
            pieces = (
                (self._field(number, f"{flag.name}, weight"),) if number else (str(flag.weight),)
            )
            yield "Weight", Phrase(pieces)

    def _phrase(self, node: Node, label: str, start: str = "when") -> Phrase:
        return self._labelled(words_of(self.text, node, start), label)

    def _labelled(self, words: Words | Combination, label: str) -> Phrase:
        if isinstance(words, Combination):
            parts = [self._labelled(part, label) for part in words.parts]
            return Phrase(word=words.word, parts=parts)
        whole = "".join(
            self.text[piece.start : piece.end] if isinstance(piece, Number) else piece
            for piece in words.pieces
        )
        return Phrase(
            [
                self._field(piece, f"{label}: number in “{whole}”")
                if isinstance(piece, Number)
                else piece
                for piece in words.pieces
            ]
        )

    def _field(self, number: Number, label: str) -> NumberField:
        self.numbers.append(number)
        return NumberField(f"{NUMBER}{len(self.numbers) - 1}", number.value, label)
