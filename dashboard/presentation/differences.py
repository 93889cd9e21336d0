"""Line-by-line differences between two texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

CONTEXT_LINES = 3
"""Unchanged lines shown around each change."""

MOST_LINES = 2_000
"""Lines shown, and lines that are compared in detail: that takes half a second at most."""

MOST_EQUAL_PAIRS = 100_000
"""Pairs of equal lines of two texts that are compared in detail."""

Operations = Sequence[tuple[str, int, int, int, int]]
"""Operations on ranges of lines, in the form of `SequenceMatcher.get_grouped_opcodes`."""


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
    """The lines to show, at most `MOST_LINES`, and the numbers of added and removed lines."""

    lines: tuple[Line, ...]
    added: int
    removed: int


def compare_texts(before: str, after: str) -> Difference:
    """Return the changes from one text to another.

    If large texts differ in many places, all lines from the first change to the last one are taken
    as removed and added: comparing them would take minutes.
    """
    old, new = before.splitlines(), after.splitlines()
    head = _number_alike(old, new)
    tail = min(_number_alike(reversed(old), reversed(new)), min(len(old), len(new)) - head)
    start = max(0, head - CONTEXT_LINES)
    end = max(0, tail - CONTEXT_LINES)
    parts = (text[start : len(text) - end] for text in (old, new))
    groups = _groups(*parts, head=head - start, tail=tail - end)
    lines: list[Line] = []
    added = removed = 0
    for number, group in enumerate(groups):
        if number or start + group[0][1] or start + group[0][3]:
            lines.append(Line("gap", None, None, ""))
        for kind, first, last, new_first, new_last in group:
            if kind == "equal":
                lines += [
                    Line("same", index + 1, index + new_first - first + 1, old[index])
                    for index in range(start + first, start + last)
                ]
                continue
            lines += [
                Line("removed", index + 1, None, old[index])
                for index in range(start + first, start + last)
            ]
            lines += [
                Line("added", None, index + 1, new[index])
                for index in range(start + new_first, start + new_last)
            ]
            removed += last - first
            added += new_last - new_first
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], Line("gap", None, None, "")]
    return Difference(tuple(lines), added, removed)


def _groups(old: list[str], new: list[str], *, head: int, tail: int) -> Iterable[Operations]:
    """Return the changes; the first `head` and the last `tail` lines are known to be alike."""
    if old == new:
        return []
    times = Counter(new)
    pairs = sum(times[line] for line in old)
    if len(old) * len(new) <= MOST_LINES**2 and pairs <= MOST_EQUAL_PAIRS:
        return SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT_LINES)
    old_end, new_end = len(old) - tail, len(new) - tail
    return [
        [
            ("equal", 0, head, 0, head),
            ("replace", head, old_end, head, new_end),
            ("equal", old_end, len(old), new_end, len(new)),
        ]
    ]


def _number_alike(first: Iterable[str], second: Iterable[str]) -> int:
    """Return how many lines are the same before the first that is not."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
