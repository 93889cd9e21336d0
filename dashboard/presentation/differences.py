"""The difference of two texts, line by line, as pages show it."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

AROUND = 3
"""Lines that stay the same, shown around those that do not."""


@dataclass(frozen=True)
class Line:
    """A line of a difference, with its number in each text; `kind` is added, removed, same or gap.

    A gap stands for lines that stay the same and are left out.
    """

    kind: str
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True)
class Difference:
    """All lines to show, and how many were added and removed."""

    lines: tuple[Line, ...]
    added: int
    removed: int


def difference(before: str, after: str) -> Difference:
    """What changed from one text to another."""
    lines = tuple(_lines(before.splitlines(), after.splitlines()))
    kinds = [line.kind for line in lines]
    return Difference(lines, kinds.count("added"), kinds.count("removed"))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(AROUND)):
        if number or group[0][1] or group[0][3]:
            yield Line("gap", None, None, "")
        for kind, old, old_end, new, new_end in group:
            if kind == "equal":
                for place in range(old_end - old):
                    text = before[old + place]
                    yield Line("same", old + place + 1, new + place + 1, text)
                continue
            for place in range(old, old_end):
                yield Line("removed", place + 1, None, before[place])
            for place in range(new, new_end):
                yield Line("added", None, place + 1, after[place])
