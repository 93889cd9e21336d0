"""The routes of other products' SDKs."""

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from ingress.client.gate import Gate
from ingress.formats import cloud_events, posthog, segment
from ingress.formats.calls import Calls

FORMS = (*segment.FORMS, *posthog.FORMS, cloud_events.FORM)

FLAGS = frozenset(f"{path}{end}" for path in posthog.FLAGS for end in ("", "/"))

LOCAL_FLAGS = frozenset(f"{path}{end}" for path in posthog.LOCAL_FLAGS for end in ("", "/"))

PATHS = frozenset(form.path for form in FORMS) | FLAGS | LOCAL_FLAGS

LARGER_BODIES = {form.path: form.largest for form in posthog.FORMS}
"""Bytes of request bodies by path, where they are larger than those of our own endpoints."""

WITHOUT_LIMIT = ("flags", "local-flags")
"""Endpoints that count no request: they have the same answer for everybody."""


def add_formats(app: Flask, gate: Gate, now: Callable[[], datetime]) -> None:
    """Add the routes of all forms, and those of PostHog's feature flags."""
    for form in FORMS:
        calls = Calls(gate, now, form)
        app.add_url_rule(form.path, form.path, calls.view, methods=["POST"])
    for path in FLAGS:
        app.add_url_rule(path, "flags", posthog.no_flags, methods=["GET", "POST"])
    for path in LOCAL_FLAGS:
        app.add_url_rule(path, "local-flags", posthog.no_local_flags, methods=["GET"])
