"""What can be wrong with a rule file, each fault at the place where it stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake: 1-based line and column, and a sentence with the cure."""

    line: int
    column: int
    message: str

    def in_context(self, file: str, source: str) -> str:
        """As `file:line:column: message`, with the line of the source and a caret below it."""
        told = f"{file}:{self.line}:{self.column}: {self.message}"
        lines = split_lines(source)
        if not 0 < self.line <= len(lines):
            return told
        line = lines[self.line - 1]
        indentation = "".join("\t" if c == "\t" else " " for c in line[: self.column - 1])
        return f"{told}\n    {line}\n    {indentation}^"


class RuleError(Exception):
    """Base of everything that this package raises."""


class RuleFileError(RuleError):
    """Raised when a rule file has faults; `faults` lists every one, in file order."""

    def __init__(self, faults: Iterable[Fault], *, file: str = "rules") -> None:
        self.faults = tuple(sorted(set(faults)))
        self.file = file
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Each fault as `file:line:column: message`."""
        return [f"{self.file}:{f.line}:{f.column}: {f.message}" for f in self.faults]


MAX_CANDIDATES = 200
"""Names that a wrong one is compared with: each comparison takes a tenth of a millisecond."""


def split_lines(text: str) -> list[str]:
    """The lines of a text as YAML counts them (YAML 1.1, section 5.4)."""
    return re.split("\r\n|[\r\n\x85\u2028\u2029]", text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to append to a message, or nothing when no known word is near."""
    known = list(known)
    if len(known) > MAX_CANDIDATES:
        return ""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean `{by_folded[near[0]]}`?" if near else ""


def list_names(names: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    quote = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quote[:-1]), quote[-1]]) if len(quote) > 1 else quote[0]
