"""Accepts an event by the name that it is sent by: as a configured one, or as a new one."""

from collections.abc import Collection

from rules.book import EventSetting, RuleBook
from rules.edits import events as event_edits
from rules.file.rule_file import check_rules
from services.rules.event_matching import spelling
from services.rules.rule_books import NO_RULES


def find_alike(book: RuleBook, name: str) -> EventSetting | None:
    """Return the accepted event that is spelled like a name; None if there is none, or several.

    `Report Created` is spelled like the key `report_created`.
    """
    words = spelling(name)
    found = [
        event
        for event in book.events.values()
        if event.enabled
        and words in {spelling(known) for known in (event.key, event.name, *event.called)}
    ]
    return found[0] if len(found) == 1 else None


def key_of(book: RuleBook, name: str, stored: Collection[str] = ()) -> str:
    """Return the key of what is sent by a name that a book does not know.

    A name that events are `stored` under stays their key. Otherwise, it is the key of an event that
    is spelled alike, or else a new one.
    """
    if name in stored:
        return name
    alike = find_alike(book, name)
    return alike.key if alike else event_edits.key_for(name, {*book.events, *stored})


def accept_event(text: str, name: str, stored: Collection[str] = ()) -> tuple[str, str]:
    """Return a text that accepts what is sent by a name, and its key, which is that of `key_of`.

    An event that is spelled alike gets the name under `called`.

    Raises:
        RuleEditError: the event exists, the syntax of the file is unusual, or it has faults.
    """
    book = check_rules(text).book or NO_RULES
    key = key_of(book, name, stored)
    if key == name:
        return event_edits.add(text, key), key
    if key in book.events:
        return event_edits.add_name(text, key, name), key
    return event_edits.add(text, key, name, name), key
