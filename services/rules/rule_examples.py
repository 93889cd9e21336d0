"""The rule files of `config/examples`, which people choose from in the dashboard."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config.files import RULE_EXAMPLES
from rules.book import RuleBook
from rules.file.rule_file import read_rules

ORDER = ("saas-onboarding", "usage-drop", "seat-adoption", "renewal-risk", "support-storms")
"""Those that most organizations begin with; others follow by name."""

_NO_TEXT = re.compile("# yaml-language-server:")


@dataclass(frozen=True)
class RuleExample:
    """A rule file with what its first comment says about it.

    The comment begins with a title and a colon; `purpose` is the rest of its first paragraph, and
    `advice` its further ones.
    """

    name: str
    title: str
    purpose: str
    advice: tuple[str, ...]
    text: str
    book: RuleBook


@cache
def list_examples() -> tuple[RuleExample, ...]:
    """Return the examples in the order in which they are offered."""
    files = [path for path in RULE_EXAMPLES.glob("*.yaml") if not path.name.endswith(".test.yaml")]
    return tuple(_read(path) for path in sorted(files, key=_position))


def find_example(name: str) -> RuleExample | None:
    """Return the example with a name such as `usage-drop`."""
    return next((example for example in list_examples() if example.name == name), None)


def _position(path: Path) -> tuple[int, str]:
    return ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem


def _read(path: Path) -> RuleExample:
    text = path.read_text(encoding="utf-8")
    first, *advice = _paragraphs(text)
    title, _, purpose = first.partition(": ")
    purpose = purpose[:1].upper() + purpose[1:]
    return RuleExample(
        path.stem, title, purpose, tuple(advice), text, read_rules(text, file=path.name)
    )


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of the comment at the beginning of a text."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if not _NO_TEXT.match(line):
            lines.append(line.lstrip("# ").rstrip())
    paragraphs = "\n".join(lines).split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]
