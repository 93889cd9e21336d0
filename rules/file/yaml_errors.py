"""Explains YAML syntax errors in plain words."""

import re

from ruamel.yaml.error import MarkedYAMLError

from rules.faults import Fault

TAB_ADVICE = "a tab cannot indent YAML; use spaces"
NO_BREAK_SPACE_ADVICE = "this is a no-break space, which cannot indent YAML; use ordinary spaces"
UNCLOSED_QUOTE = "a quote is opened here and never closed"

_ADVICE = (
    (r"\\t", TAB_ADVICE),
    (
        r"indentation indicators|expected a comment or a line break",
        "put what starts with `>` or `|` in quotes",
    ),
    (
        r"expected <block end>, but found '(-|\?)'|found '-'",
        "this `-` is not indented like the list that it belongs to",
    ),
    (
        r"expected <block end>",
        "this line is not indented like the ones it belongs to, or a quote before it ends too soon",
    ),
    (
        r"mapping values are not allowed",
        "there is a second `:` here; put the text in quotes, or start a new line",
    ),
    (r"could not find expected ':'", "this line lacks a `:` with a space after it"),
    (r"expected ',' or '\]'", "a list is opened here with `[` and lacks its `]` or a comma"),
    (r"expected ',' or '}'", "a mapping is opened here with `{` and lacks its `}` or a comma"),
    (r"cannot start any token", "put what starts with this character in quotes"),
    (r"alphabetic or numeric character", "put what starts with `*` or `&` in quotes"),
    (r"found another document", "a second document starts here; leave out this line"),
    (r"undefined alias", "put what starts with `*` in quotes"),
    (r"unexpected end of stream", "something is opened before and never closed"),
    (r"expected the node content", "a value is expected here; put special characters in quotes"),
)


def syntax_fault(error: MarkedYAMLError) -> Fault:
    """Return the fault behind a parser error, at the position where a person would look for it."""
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "unreadable"
    opened = error.context_mark
    if error.context and "quoted scalar" in error.context and opened:
        return Fault(opened.line + 1, opened.column + 1, UNCLOSED_QUOTE)
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, problem)), None)
    if opened and re.search(r"expected (':'|',' or)", problem):
        mark = opened  # the parser fails only later
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Fault(line, column, advice or f"this is not readable as YAML: {problem}")
