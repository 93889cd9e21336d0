"""Line-by-line differences between two texts."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

CONTEXT_LINES = 3
"""Unchanged lines shown around each change."""


@dataclass(frozen=True)
class Line:
    """A line of a difference, with its number in each text; `kind` is added, removed, same or gap.

    A gap replaces unchanged lines that are not shown.
    """

    kind: str
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True)
class Difference:
    """The lines to show, and the numbers of added and removed lines."""

    lines: tuple[Line, ...]
    added: int
    removed: int


def compare_texts(before: str, after: str) -> Difference:
    """Return the changes from one text to another."""
    lines = tuple(_lines(before.splitlines(), after.splitlines()))
    kinds = [line.kind for line in lines]
    return Difference(lines, kinds.count("added"), kinds.count("removed"))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(CONTEXT_LINES)):
        if number or group[0][1] or group[0][3]:
            yield Line("gap", None, None, "")
        for kind, old, old_end, new, new_end in group:
            if kind == "equal":
                for offset in range(old_end - old):
                    text = before[old + offset]
                    yield Line("same", old + offset + 1, new + offset + 1, text)
                continue
            for index in range(old, old_end):
                yield Line("removed", index + 1, None, before[index])
            for index in range(new, new_end):
                yield Line("added", None, index + 1, after[index])
