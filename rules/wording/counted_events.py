"""Which events a flag counts, as people read it: their name, and the filters."""

from rules.book import RuleBook
from rules.flags import Flag
from rules.phrases.fields import format_value
from rules.wording.names import field_words
from rules.wording.quantities import value_words


def describe_events(book: RuleBook, flag: Flag) -> str:
    """Return the events that a flag counts, by display name, with its filters."""
    key = flag.selector.event_key
    setting = book.events.get(key) if key is not None else None
    name = setting.name if setting else "any event"
    where = (
        f"data.{'.'.join(path)}: {' or '.join(format_value(value) for value in values)}"
        for path, values in flag.selector.where
    )
    return ", ".join([name, *where])


def filters_in_words(flag: Flag) -> str:
    """Return the filters of a flag in a sentence: `(kind: pdf or csv)`; empty if it has none."""
    texts = (
        f"{field_words(path[-1])}: {' or '.join(map(value_words, values))}"
        for path, values in flag.selector.where
    )
    listed = "; ".join(texts)
    return f"({listed})" if listed else ""
