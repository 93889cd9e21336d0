"""What libyaml reads, `ruamel.yaml` reads alike; everything else is left to `ruamel.yaml`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node

from config.files import HEALTH_RULES
from rules.file.bounds import DEEPEST, MOST_NODES, compose_bounded
from rules.file.common_yaml import compose_common
from tests.support.properties import effort

LINES = HEALTH_RULES.read_text(encoding="utf-8").splitlines(keepends=True)
INSERTED = st.sampled_from(
    [
        *" \n:#-?,[]{}'\"|>&*!%@`~\\é\t\r\x85\u2028\ufeff\xa0\u200b",
        ": ",
        "- ",
        "\n  ",
        "''",
        "--- ",
        "...\n",
        "&a ",
        "*a ",
        "!!str ",
        "? ",
        "|\n  ",
        ">-\n    ",
        "%YAML 1.1\n---\n",
        "\\x41",
        "yes",
        "0o14",
    ]
)


@st.composite
def altered_parts(draw: st.DrawFn) -> str:
    """Return some lines of a rule file, with a few changes."""
    start = draw(st.integers(0, len(LINES) - 1))
    text = "".join(LINES[start : start + draw(st.integers(1, 20))])
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(INSERTED) + text[at + draw(st.integers(0, 2)) :]
    return text


def described(node: Node) -> tuple[Any, ...]:
    """Return all that is known of a node and those within it."""
    marks = [(mark.index, mark.line, mark.column) for mark in (node.start_mark, node.end_mark)]
    about = (type(node), node.tag, node.anchor, *marks)
    if isinstance(node.value, str):
        return (*about, node.style or None, node.value)
    if isinstance(node, MappingNode):
        pairs = [(described(key), described(value)) for key, value in node.value]
        return (*about, bool(node.flow_style), pairs)
    return (*about, bool(node.flow_style), [described(item) for item in node.value])


def read_by_both(text: str) -> tuple[Any, Any]:
    """Return the nodes that libyaml and `ruamel.yaml` find; None where one finds none."""
    common = compose_common(text)
    try:
        other = compose_bounded(text)
    except MarkedYAMLError:
        other = None
    return common and described(common), other and described(other)


def test_a_usual_rule_file_is_read_by_libyaml() -> None:
    common, other = read_by_both("".join(LINES))
    assert common is not None
    assert common == other


@effort(6)
@given(altered_parts())
def test_nodes_are_the_same_or_left_to_the_other_parser(text: str) -> None:
    common, other = read_by_both(text)
    assert common in (None, other)


@pytest.mark.parametrize(
    "text",
    [
        "a: b",
        "a:\n",
        "a: [b\tc]\n",
        "a: b\r\n",
        "a\x85: b\n",
        "a: b\u2028\n",
        "\ufeffa: b\n",
        "a: &b c\n",
        "a: &b [c]\nd: *b\n",
        "a: !!str 1\n",
        "a: ! 1\n",
        "a: |\n  b\n",
        "a: >\n  b\n",
        "|#\n",
        "%YAML 1.1\n---\na: yes\n",
        "a: b\n---\na: b\n",
        "a: [b\n",
        "\n",
        'a: "\\ud800"\n',
        "[" * DEEPEST + "]" * DEEPEST + "\n",
        "[" + "a, " * MOST_NODES + "]\n",
    ],
)
def test_what_they_could_read_otherwise_is_left_to_the_other_parser(text: str) -> None:
    assert compose_common(text) is None


@pytest.mark.parametrize("value", ["yes", "0o14", "014", "1:30", "1_000", ".5", "~", "2026-01-05"])
def test_values_are_those_of_yaml_1_2(value: str) -> None:
    common, other = read_by_both(f"a: {value}\n")
    assert common is not None
    assert common == other
