"""Reads `team`: which fields of a company are its owner, its value and its renewal."""

from ruamel.yaml.nodes import Node

from rules.facts import Path
from rules.file.source import Source
from rules.phrases.fields import field_path
from rules.team import TeamFields

KEYS = ("owner", "value", "renewal")

_EXAMPLES = {"owner": "company.csm", "value": "company.arr", "renewal": "company.renewal_date"}

_ROOT = "company."


def read_team(source: Source, node: Node) -> TeamFields:
    """Read the fields that the team is interested in; each is optional."""
    entries = source.mapping(node, "`team`", KEYS)
    return TeamFields(**{key: _read_path(source, key, node) for key, (_, node) in entries.items()})


def _read_path(source: Source, key: str, node: Node) -> Path | None:
    text = source.text(node, f"`{key}`")
    if text is None:
        return None
    path = field_path(text.removeprefix(_ROOT))
    if not text.startswith(_ROOT) or not all(path):
        source.fault(
            node, f"`{text}` is not a field of the company; write for example `{_EXAMPLES[key]}`"
        )
        return None
    return path
