"""The output that documents show is what the product prints."""

import ast
import re

import pytest

from rules.file.rule_file import check_rules
from rules.flags import Reason
from tests.unit.docs.documents import blocks, parsed, read

GUIDE = read("docs/health-rules.md")
TYPING_ERROR = ("less than 5 times", "less then 5 times")


def first_block(document: str, start: str) -> str:
    [found] = [block for block in blocks(read(document), "text") if block.startswith(start)][:1]
    return found


def fault_in(text: str) -> str:
    """The place and the message of the only fault of a text with the typing error."""
    [fault] = check_rules(text.replace(*TYPING_ERROR)).faults
    return f"config/health.yaml:{fault.line}:{fault.column}: {fault.message}"


def test_the_guide_shows_the_fault_of_a_typing_error_in_its_rules() -> None:
    shown = first_block("docs/health-rules.md", "config/health.yaml:").splitlines()
    rules = blocks(GUIDE, "yaml")[0]
    line, column = shown[0].split(":")[1:3]
    assert shown[0] == fault_in(rules)
    assert (
        rules.replace(*TYPING_ERROR)
        .splitlines()[int(line) - 1][int(column) - 1 :]
        .startswith("then")
    )


def test_the_guide_shows_an_explanation_in_the_words_of_the_command() -> None:
    shown = first_block("docs/health-rules.md", "Acme Corp (company_123)")
    printed = {
        node.value
        for node in ast.walk(parsed("cli/commands/companies.py"))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    labels = re.findall(r"^  ([a-z]+) ", shown, re.MULTILINE)
    assert labels
    assert set(labels) <= printed
    [reason] = re.findall(r"^  because +([^:]+):", shown, re.MULTILINE)
    assert reason in {reason.value for reason in Reason}


@pytest.mark.parametrize(
    "line", first_block("docs/health-rules.md", "config/health.yaml is not applied").splitlines()
)
def test_the_guide_shows_what_the_log_says_of_a_file_that_is_behind(line: str) -> None:
    logged = [
        "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else ".*"
            for part in node.values
        )
        for node in ast.walk(parsed("cli/commands/up/rule_file_watch.py"))
        if isinstance(node, ast.JoinedStr)
    ]
    assert any(len(pattern) > 50 and re.fullmatch(pattern, line) for pattern in logged)
