"""Faults in rule files, each with its position, and the exceptions of the `rules` package."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_SHOWN_LINE = 500
"""Characters."""


_AFTER_HOST = re.compile(r"(https?://[^\s/?#\"'`]*[/?#])([^\s\"'`]+)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Fault:
    """A mistake in a file: its 1-based line and column, and a sentence that says how to fix it."""

    line: int
    column: int
    message: str

    def in_context(self, file: str, source: str) -> str:
        """Return `file:line:column: message`, followed by the source line with a caret below it."""
        header = f"{file}:{self.line}:{self.column}: {self.message}"
        lines = split_lines(source)
        if not 0 < self.line <= len(lines) or len(lines[self.line - 1]) > LONGEST_SHOWN_LINE:
            return header
        line = hide_urls(lines[self.line - 1])
        indentation = "".join("\t" if c == "\t" else " " for c in line[: self.column - 1])
        return f"{header}\n    {line}\n    {indentation}^"


def hide_urls(text: str) -> str:
    """Replace what follows the host in each URL: it is often a secret. The length stays."""
    return _AFTER_HOST.sub(lambda found: found[1] + "*" * len(found[2]), text)


class RuleError(Exception):
    """Base class of every exception that this package raises."""


class RuleFileError(RuleError):
    """Raised when a rule file has faults; `faults` lists all of them, in file order."""

    def __init__(self, faults: Iterable[Fault], *, file: str = "rules") -> None:
        self.faults = tuple(sorted(set(faults)))
        self.file = file
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return each fault as `file:line:column: message`."""
        return [f"{self.file}:{f.line}:{f.column}: {f.message}" for f in self.faults]


MAX_CANDIDATES = 100
"""The most names compared with a misspelled one: each comparison takes up to a tenth of a
millisecond."""

LONGEST_MISSPELLED = 60
"""Characters: a comparison takes longer by the square of its length."""


def split_lines(text: str) -> list[str]:
    """Split a text into lines as YAML does (YAML 1.1, section 5.4)."""
    return re.split("\r\n|[\r\n\x85\u2028\u2029]", text)


def as_sentence(message: str) -> str:
    """Return a message as a sentence: with a full stop, unless it ends in a question."""
    return message if message.endswith("?") else f"{message}."


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a suggestion to append to a message; empty when no known name is close."""
    names = list(names)
    if len(names) > MAX_CANDIDATES or len(word) > LONGEST_MISSPELLED:
        return ""
    by_folded = {name.casefold(): name for name in names if len(name) <= 2 * LONGEST_MISSPELLED}
    near = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean `{by_folded[near[0]]}`?" if near else ""


def suggest(word: str, names: Collection[str]) -> str:
    """Return a suggestion to append to a message: a close known name, or else all of them."""
    return did_you_mean(word, names) or f"; known are {list_names(names)}"


def unknown_status(status: str, statuses: Collection[str]) -> str:
    """Return the message for a status that is not one of `statuses`."""
    return f"the status `{status}` is not known{suggest(status, statuses)}"


def list_names(names: Iterable[str]) -> str:
    """Return the names as "`a`, `b` and `c`"."""
    quote = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quote[:-1]), quote[-1]]) if len(quote) > 1 else quote[0]
