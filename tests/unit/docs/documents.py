"""Reads the project's Markdown: its tables, code spans, code blocks, links and headings."""

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from config.files import ROOT

Row = dict[str, str]

PARSING = "parsed code"
"""The group of tests that parse all code, which takes longer than they do."""

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


@cache
def project_files() -> tuple[str, ...]:
    """The project's files; those of the environment, of caches, and of a product are hidden."""
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(".") and f != "__pycache__"]
        files += [str((Path(folder) / name).relative_to(ROOT)) for name in names]
    return tuple(sorted(files))


@cache
def documents() -> tuple[str, ...]:
    return tuple(path for path in project_files() if path.endswith(".md"))


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def parsed(path: str) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(read(path))


def prose(text: str) -> str:
    """A document without its code blocks."""
    return _FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    """What is below a heading, up to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    assert found, f"there is no heading `{heading}`"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def section_beginning(text: str, words: str) -> str:
    """The section of which the heading begins with these words."""
    [heading] = [title for _, title in _HEADING.findall(prose(text)) if title.startswith(words)]
    return section(text, heading)


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language, without the indentation of a list."""
    return [
        re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
        for indent, kind, code in _FENCE.findall(text)
        if kind == language
    ]


def spans(text: str) -> list[str]:
    """The inline code of a document."""
    return _SPAN.findall(prose(text))


def links(text: str) -> list[str]:
    return [target or source for target, source in _LINK.findall(prose(text))]


def anchors(text: str) -> set[str]:
    """What links to the headings of a document end with, as GitHub makes it."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for _, heading in _HEADING.findall(prose(text))
    }


def tables(text: str) -> Iterator[list[Row]]:
    """The tables of a document: each row by the names of its columns."""
    for lines in re.findall(r"(?:^ *\|.*\|\n?)+", prose(text), re.MULTILINE):
        names, _, *rows = [_cells(line) for line in lines.strip().splitlines()]
        yield [dict(zip(names, row, strict=True)) for row in rows]


def rows_of(text: str, column: str) -> list[Row]:
    """The rows of all tables that have this as their first column."""
    return [row for table in tables(text) for row in table if next(iter(row)) == column]


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", inner)]
