"""The rule books that pages read, each read once per process."""

from flask import current_app

from actors.rulebooks import RuleBooks

EXTENSION = "brazebee rule books"


def rule_books() -> RuleBooks:
    """Those of the application at hand."""
    found: RuleBooks = current_app.extensions.setdefault(EXTENSION, RuleBooks())
    return found
