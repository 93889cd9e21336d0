"""The rules editor: its JavaScript modules, its completions, and the text in its form."""

import json
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from flask import url_for

from dashboard.web.headers import CONTENT_SECURITY_POLICY
from rules.book import RuleBook
from rules.file.flag import ANY_EVENT
from rules.file.json_schema import rule_schema
from rules.language.examples import DIGESTS, NOTIFY_WHEN, PHRASES, QUIET, TOGETHER
from rules.statuses import NOT_APPLICABLE

MODULES = {
    "@codemirror/autocomplete": "codemirror-autocomplete.js",
    "@codemirror/commands": "codemirror-commands.js",
    "@codemirror/lang-yaml": "codemirror-lang-yaml.js",
    "@codemirror/language": "codemirror-language.js",
    "@codemirror/lint": "codemirror-lint.js",
    "@codemirror/state": "codemirror-state.js",
    "@codemirror/streamparser": "codemirror-streamparser.js",
    "@codemirror/view": "codemirror-view.js",
    "@lezer/common": "lezer-common.js",
    "@lezer/highlight": "lezer-highlight.js",
    "@lezer/lr": "lezer-lr.js",
    "@lezer/yaml": "lezer-yaml.js",
    "@marijn/find-cluster-break": "find-cluster-break.js",
    "crelt": "crelt.js",
    "style-mod": "style-mod.js",
    "w3c-keyname": "w3c-keyname.js",
}
"""The names by which the modules import each other, with their vendored files."""


def import_map() -> str:
    """Return the import map of the modules as JSON for a page."""
    files = {name: url_for("static", filename=f"vendor/{file}") for name, file in MODULES.items()}
    return json.dumps({"imports": files}).replace("<", "\\u003c")


def module_addresses() -> list[str]:
    """Return the addresses of the modules, which a page requests before one imports another."""
    return [url_for("static", filename=f"vendor/{file}") for file in MODULES.values()]


def new_nonce() -> str:
    """Return a nonce that allows a page its import map, and the editor its style sheet."""
    return secrets.token_urlsafe(16)


def policy_with(nonce: str) -> str:
    """Return the content security policy of a page with the editor."""
    own = f"'self' 'nonce-{nonce}'"
    return f"{CONTENT_SECURITY_POLICY}; script-src {own}; style-src {own}"


def completions(book: RuleBook | None, destinations: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the completions: keys with descriptions, event keys, statuses and phrases.

    `destinations` are the names of those that can be notified, by service.
    """
    rules = book or RuleBook((), {}, ())
    return {
        "keys": _keys(),
        "events": [
            {"label": event.key, "detail": event.name}
            for event in rules.events.values()
            if event.enabled
        ]
        + [{"label": ANY_EVENT, "detail": "all events"}],
        "statuses": [*rules.statuses],
        "not_applicable": NOT_APPLICABLE,
        "flags": [flag.name for flag in rules.flags],
        "phrases": list(PHRASES),
        "destinations": destinations,
        "notify": {
            "when": list(NOTIFY_WHEN),
            "group": list(TOGETHER),
            "quiet": list(QUIET),
            "digest": list(DIGESTS),
        },
    }


@cache
def _keys() -> dict[str, list[dict[str, str]]]:
    root = rule_schema()
    event = root["properties"]["events"]["additionalProperties"]["anyOf"][0]
    schemas = {
        "file": root,
        "event": event,
        "flag": root["$defs"]["flag"],
        "defaults": root["properties"]["defaults"],
        "notify": root["$defs"]["notify"],
        "to": root["$defs"]["notify"]["properties"]["to"],
    }
    return {
        place: [
            {"label": key, "info": definition.get("description", "")}
            for key, definition in schema["properties"].items()
        ]
        for place, schema in schemas.items()
    }


def as_written(sent: str, original: str) -> str:
    """Return a text from a form with the line breaks of the original text.

    Browsers send every line break as carriage return and line feed.
    """
    text = sent.replace("\r\n", "\n").replace("\r", "\n")
    if "\r\n" in original and "\n" not in original.replace("\r\n", ""):
        return text.replace("\n", "\r\n")
    return text
