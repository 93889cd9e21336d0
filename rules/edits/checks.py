"""Why an edit of a rule file is not possible: what its text would be, is read again."""

from rules.book import RuleBook
from rules.edits.entries import RuleEditError
from rules.faults import as_sentence, list_names
from rules.file.rule_file import CheckedRules, check_rules


def read_edited(text: str) -> RuleBook:
    """Return the book of an edited text.

    Raises:
        RuleEditError: the text has faults.
    """
    checked = check_rules(text)
    if checked.book is None:
        raise _impossible(checked)
    return checked.book


def read_with_flag_edited(text: str, before: RuleBook, name: str | None) -> RuleBook:
    """Return the book of a text in which the flag of a name was edited; None if it is new.

    Raises:
        RuleEditError: the text has faults; if other parts of it refer to the flag, it names them.
    """
    checked = check_rules(text)
    if checked.book is not None:
        return checked.book
    lost = (f"there is no flag `{name}`", f"the flag `{name}` is paused")
    if name is not None and checked.faults[0].message.startswith(lost):
        raise RuleEditError(f"{_references_to(name, before)}; change that first.")
    raise _impossible(checked)


def _impossible(checked: CheckedRules) -> RuleEditError:
    return RuleEditError(f"That is not possible: {as_sentence(checked.faults[0].message)}")


def _references_to(name: str, book: RuleBook) -> str:
    """Return what refers to a flag, as a sentence without a full stop."""
    flags = [flag.name for flag in book.flags if flag.name != name and name in flag.other_flags]
    if flags:
        refer = "refers" if len(flags) == 1 else "refer"
        return f"{list_names(flags)} {refer} to the flag `{name}`"
    lines = [
        str(entry.line)
        for entry in book.notify
        if any(condition.flag == name for condition in entry.when)
    ]
    return f"`notify` refers to the flag `{name}`, in line {' and '.join(lines)}"
