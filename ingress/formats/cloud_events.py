"""The endpoint of CloudEvents: structured, in batches, or with the attributes in headers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from werkzeug.http import parse_options_header

from formats import cloud_events
from formats.record import Record
from ingress.client.errors import ApiError
from ingress.client.headers import Headers
from ingress.formats.form import Form, Sent
from ingress.strict_json import storage_faults

PATH = "/v1/cloudevents"

NAME = "cloudevents"

LARGEST = 1024 * 1024
"""Bytes of a request body."""

ATTRIBUTES = (
    "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
    "companyid", "userid",
)  # fmt: skip
"""The attributes that are read from headers."""


def _unpack(body: Any, headers: Headers) -> Sent:
    media_type = parse_options_header(headers.get("content-type"))[0].lower()
    if media_type == "application/cloudevents-batch+json" or isinstance(body, list):
        return Sent(body if isinstance(body, list) else [body], True)
    if headers.get("ce-specversion") is None:
        return Sent([body], False)
    return Sent([{**_attributes(headers), "data": body}], False)


def _attributes(headers: Headers) -> Mapping[str, str]:
    """Return the attributes of an event in binary mode; other characters than ASCII are escaped.

    Raises:
        ApiError: an attribute cannot be stored.
    """
    given = {name: headers.get(f"ce-{name}") for name in ATTRIBUTES}
    attributes = {name: unquote(value) for name, value in given.items() if value is not None}
    if faults := list(storage_faults(attributes)):
        raise ApiError(400, "Invalid data", faults)
    return attributes


def _read(event: Any, received_at: datetime, _sent_at: Any) -> Record:
    return cloud_events.read(event, received_at)


FORM = Form(NAME, PATH, _unpack, _read, LARGEST, {"success": True})

TO_TRACK = replace(FORM, path="/v1/track")
"""An event that comes to the path of our own."""
