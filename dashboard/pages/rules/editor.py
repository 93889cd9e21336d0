"""The editor of rules: its modules, what it completes, and texts as forms bring them."""

import json
import secrets
from functools import cache
from typing import Any

from flask import url_for

from dashboard.web.headers import CONTENT_SECURITY_POLICY
from rules.book import RuleBook
from rules.file.flag import ANY_EVENT
from rules.file.json_schema import rule_schema
from rules.language.examples import PHRASES
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
"""By which name the modules import each other, and the vendored file of each."""


def import_map() -> str:
    """Where a browser finds the modules, as JSON for a page."""
    files = {name: url_for("static", filename=f"vendor/{file}") for name, file in MODULES.items()}
    return json.dumps({"imports": files}).replace("<", "\\u003c")


def new_nonce() -> str:
    """What lets one page have one import map, and the editor add its style sheet."""
    return secrets.token_urlsafe(16)


def policy_with(nonce: str) -> str:
    """The content security policy of a page with the editor."""
    own = f"'self' 'nonce-{nonce}'"
    return f"{CONTENT_SECURITY_POLICY}; script-src {own}; style-src {own}"


def completions(book: RuleBook | None) -> dict[str, Any]:
    """What may be written where: keys with what they mean, event keys, statuses and phrases."""
    known = book or RuleBook((), {}, ())
    return {
        "keys": _keys(),
        "events": [
            {"label": event.key, "detail": event.name}
            for event in known.events.values()
            if event.enabled
        ]
        + [{"label": ANY_EVENT, "detail": "all events"}],
        "statuses": [*known.statuses],
        "not_applicable": NOT_APPLICABLE,
        "flags": [flag.name for flag in known.flags],
        "phrases": list(PHRASES),
    }


@cache
def _keys() -> dict[str, list[dict[str, str]]]:
    schema = rule_schema()
    event = schema["properties"]["events"]["additionalProperties"]["anyOf"][0]
    places = {
        "file": schema,
        "event": event,
        "flag": schema["$defs"]["flag"],
        "defaults": schema["properties"]["defaults"],
    }
    return {
        place: [
            {"label": key, "info": what.get("description", "")}
            for key, what in part["properties"].items()
        ]
        for place, part in places.items()
    }


def as_written(sent: str, before: str) -> str:
    """A text from a form, with the line breaks of the one that it was made of.

    Browsers send every line break as carriage return and line feed, whatever it was.
    """
    text = sent.replace("\r\n", "\n").replace("\r", "\n")
    if "\r\n" in before and "\n" not in before.replace("\r\n", ""):
        return text.replace("\n", "\r\n")
    return text
