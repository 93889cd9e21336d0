"""Reads the rule files that are arguments of commands."""

from dataclasses import dataclass
from pathlib import Path

import click

from cli.errors import CommandError
from cli.output import print_text
from config.settings import Settings
from rules.book import RuleBook
from rules.faults import Fault
from rules.file.rule_file import check_rules
from rules.file.source import LARGEST_FILE
from services.accounts.audit import Maker
from services.notifications.rule_text import UrlKeeper

file_argument = click.argument("file", type=click.Path(path_type=Path))


@dataclass(frozen=True)
class RuleFile:
    """A rule file without faults: its text, and its rule book."""

    path: Path
    source: str
    book: RuleBook


def load_rules(path: Path) -> RuleFile:
    """Read a rule file, and print its warnings to standard error.

    Raises:
        CommandError: the file cannot be read, or has faults; the message lists all of them.
    """
    source = read_rule_file(path)
    checked = check_rules(source)
    if checked.book is None:
        raise CommandError(show_faults(path, source, checked.faults))
    for warning in checked.warnings:
        print_text(warning.in_context(str(path), source), fg="yellow", err=True)
    return RuleFile(path, source, checked.book)


def url_keeper(settings: Settings, maker: str) -> UrlKeeper:
    """Return what keeps the URLs of a rule file as secrets."""
    return UrlKeeper(settings.secret_keys, settings.webhook_allow_nets, Maker(maker))


def show_faults(path: Path, source: str, faults: tuple[Fault, ...]) -> str:
    """Return every fault with its line and a caret."""
    return "\n".join(fault.in_context(str(path), source) for fault in faults)


def read_rule_file(file: Path) -> str:
    """Return the text of a rule file.

    Raises:
        CommandError: the file cannot be read, or is not UTF-8.
    """
    try:
        with file.open(encoding="utf-8-sig") as text:
            return text.read(LARGEST_FILE + 1)  # one more is refused, with a sentence
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CommandError(
            f"{file}:{line}: this is not UTF-8 text; save the file as UTF-8."
        ) from None
