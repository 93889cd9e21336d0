"""Reads the names in a rule file."""

from ruamel.yaml.nodes import Node

from rules.file.source import Source

LONGEST_NAME = 200
"""Characters, the same bound that `POST /v1/track` sets for event keys."""


def read_name(source: Source, node: Node, what: str) -> str | None:
    """A name of one line; anything else is a fault."""
    name = source.text(node, what)
    if name is None:
        return None
    if len(name) > LONGEST_NAME or not name.isprintable():
        source.fault(node, f"{what} must be at most {LONGEST_NAME} characters on one line")
        return None
    return name
