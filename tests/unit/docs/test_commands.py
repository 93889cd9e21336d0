"""docs/commands.md describes every command and option; command lines in documents parse."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from tests.unit.docs.commands import arguments, default_of, every_command, options
from tests.unit.docs.documents import blocks, documents, read, rows_of, section, spans

REFERENCE = read("docs/commands.md")
HEADINGS = re.findall(r"^### `(brazebee [^`]*)`$", REFERENCE, re.MULTILINE)
PLACEHOLDER = re.compile(r"\[?[A-Z][A-Z_]*\]?")
COMMANDS = every_command()


def heading_of(name: str) -> str:
    return " ".join([name, *arguments(COMMANDS[name])])


def shared_options() -> dict[str, str]:
    """The options that are described once for all commands, with their defaults."""
    head = REFERENCE.split("\n## ", 1)[0]
    return {name_of(row["option"]): row["default"].strip("`") for row in rows_of(head, "option")}


def name_of(cell: str) -> str:
    [name] = re.findall(r"^`(--[\w-]+)", cell)
    return str(name)


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert sorted(HEADINGS) == sorted(map(heading_of, COMMANDS))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_with_its_default(name: str) -> None:
    text = section(REFERENCE, f"`{heading_of(name)}`")
    own = {name_of(row["option"]): row for row in rows_of(text, "option")}
    shared = re.findall(r"`(--[\w-]+)`", text.rpartition("Shared options:")[2])
    shared = shared if "Shared options:" in text else []
    assert sorted([*own, *shared]) == sorted(option.opts[0] for option in options(COMMANDS[name]))
    for option in options(COMMANDS[name]):
        default = default_of(option)
        if option.opts[0] in shared:
            assert shared_options()[option.opts[0]] == (default or "")
            continue
        row = own[option.opts[0]]
        assert set(re.findall(r"--[\w-]+", row["option"])) == {*option.opts, *option.secondary_opts}
        if default is not None:
            assert row["default"] == f"`{default}`"
        assert option.required == row["meaning"].startswith("Required")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_choice_of_an_option_is_documented(name: str) -> None:
    text = section(REFERENCE, f"`{heading_of(name)}`")
    for option in options(COMMANDS[name]):
        if isinstance(option.type, click.Choice):
            for choice in option.type.choices:
                assert f"`{choice}`" in text, choice


def command_lines() -> Iterator[tuple[str, str]]:
    """The calls of `brazebee` in code blocks and in code spans, with the document of each."""
    for document in documents():
        lines = "\n".join(blocks(read(document), "sh")).replace("\\\n", " ").splitlines()
        lines += [span for span in spans(read(document)) if span.startswith("brazebee ")]
        for line in lines:
            for call in re.findall(r"(?:^|\| )(brazebee [^|#]*)", line.strip()):
                yield document, re.split(r" [><] ", str(call).strip())[0]


@pytest.mark.parametrize(("document", "line"), sorted(set(command_lines())))
def test_a_command_line_in_a_document_parses(document: str, line: str) -> None:
    words = shlex.split(line)
    if words in (["brazebee", "COMMAND", "--help"], ["brazebee", "--version"]):
        return
    name, rest = split_name(words)
    if name not in COMMANDS:
        assert not rest, line
        assert any(known.startswith(f"{name} ") for known in COMMANDS), line
        return
    command = COMMANDS[name]
    context = click.Context(command)
    values, left, _ = command.make_parser(context).parse_args(list(rest))
    assert not left, line
    for option in options(command):
        if isinstance(option.type, click.Choice) and option.name in values:
            given = values[option.name]
            for value in given if isinstance(given, list) else [given]:
                assert value in option.type.choices


def split_name(words: list[str]) -> tuple[str, list[str]]:
    """The longest name of a command, or of a group, that a line begins with; and the rest."""
    for length in range(len(words), 0, -1):
        name = " ".join(words[:length])
        if name in COMMANDS or any(known.startswith(f"{name} ") for known in COMMANDS):
            return name, words[length:]
    raise AssertionError(words)


def test_every_target_of_make_for_contributors_is_documented() -> None:
    shown = "".join(map(read, documents()))
    for target in re.findall(r"^([a-z-]+):.*## ", read("Makefile"), re.MULTILINE):
        assert re.search(rf"make {target}\b", shown) or target in {"help", "clean"}, target


@pytest.mark.parametrize("document", documents())
def test_every_target_of_make_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    text = read(document)
    code = [*"\n".join(blocks(text, "sh")).splitlines(), *spans(text)]
    for line in code:
        for target in re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z-]+)", line.strip()):
            assert target in targets, target
