"""Derives from a schema what loads plainly valid objects at a tenth of its cost.

The schema is the only description of a shape. What it cannot be derived from is refused when the
module with the schema is imported, so no field can be forgotten.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, missing, validate

from ingress.event.fields import EventId, Name, Nested, Object, Text, Timestamp

MAX_CACHED_TEXTS = 10_000
"""Users recur, and checking an address takes longer than checking the rest of a user."""

Load = Callable[[Any], Any]
"""Returns what a schema or field loads from a plainly valid value; None if it may not be valid."""


Loads = Sequence[tuple[str, bool, bool, Load]]
"""Of each field, its name, whether it is required and may be null, and how to load it."""


def derive(schema: Schema) -> Load:
    """Return a function that loads plainly valid objects as a schema does, but leaves out nulls.

    Raises:
        TypeError: the schema has something that is not known here.
    """
    if schema.unknown not in (EXCLUDE, INCLUDE):
        raise TypeError(f"{type(schema).__name__} has to include or exclude unknown fields")
    loads = [
        (name, field.required, bool(field.allow_none), _load_of(name, field))
        for name, field in schema.load_fields.items()
    ]
    if schema.unknown == EXCLUDE:
        return partial(_load, loads)
    if any(isinstance(field, Timestamp | Nested) for field in schema.load_fields.values()):
        raise TypeError(f"{type(schema).__name__} includes unknown fields and changes known ones")
    return partial(_check, loads)


def _load(loads: Loads, value: Any) -> dict[str, Any] | None:
    """Load the known fields of an object."""
    if type(value) is not dict:
        return None
    loaded = {}
    for name, required, allows_none, load in loads:
        given = value.get(name)
        if given is not None:
            loaded[name] = load(given)
            if loaded[name] is None:
                return None
        elif required or (not allows_none and name in value):
            return None
    return loaded


def _check(loads: Loads, value: Any) -> dict[str, Any] | None:
    """Check the known fields of an object, and return it with the others."""
    if type(value) is not dict:
        return None
    for name, required, allows_none, load in loads:
        given = value.get(name)
        if given is not None:
            if load(given) is None:
                return None
        elif required or (not allows_none and name in value):
            return None
    return value


def _load_of(name: str, field: fields.Field[Any]) -> Load:
    if field.data_key not in (None, name) or field.load_default is not missing:
        raise TypeError(f"`{name}` has an option that is not known here")
    if isinstance(field, Nested) and type(field) is Nested:
        return derive(field.schema)
    if isinstance(field, Text) and field.validators:
        return _validated(name, field)
    if type(field) in (EventId, Name, Object, Text, Timestamp) and not field.validators:
        load: Load = field.plain  # type: ignore[attr-defined]
        return load
    raise TypeError(f"`{name}`: {type(field).__name__} has no check for plain values")


def _validated(name: str, field: Text) -> Load:
    if type(field) is not Text or any(type(v) is not validate.Email for v in field.validators):
        raise TypeError(f"`{name}`: only `validate.Email` of a text is known")

    @lru_cache(MAX_CACHED_TEXTS)
    def is_valid(text: str) -> bool:
        try:
            for validator in field.validators:
                validator(text)
        except ValidationError:
            return False
        return True

    return lambda value: value if type(value) is str and is_valid(value) else None
