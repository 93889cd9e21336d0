"""The forms of API keys: to create one, and to change its scopes."""

from collections.abc import Collection
from typing import Self

from wtforms import Field, Form, StringField
from wtforms.validators import Length, ValidationError

from dashboard.web.forms import CheckboxesField, choice, one_line, required, trimmed
from models.keys.scopes import DEFAULT_SCOPES, USED_SCOPES, Scope, in_order

LONGEST_NAME = 100


def _at_least_one(_form: object, field: Field) -> None:
    if not field.data:
        raise ValidationError("Select at least one scope.")


def _choices(scopes: Collection[Scope]) -> list[tuple[str, str]]:
    return [choice(scope.value, f"{scope}: {scope.meaning}") for scope in scopes]


class ScopesForm(Form):
    """What a key may do: the scopes that requests need, and those that it has already."""

    scopes = CheckboxesField(
        "Scopes",
        [_at_least_one],
        choices=_choices(USED_SCOPES),
        default=[scope.value for scope in DEFAULT_SCOPES],
    )

    def offer(self, own: Collection[Scope]) -> Self:
        """Offer the scopes of a key too, so that they can be kept."""
        self.scopes.choices = _choices(in_order({*USED_SCOPES, *own}))
        return self

    def chosen(self) -> tuple[Scope, ...]:
        """Return the scopes that were selected."""
        return in_order(self.scopes.data or ())


class KeyForm(ScopesForm):
    """A new key."""

    name = StringField(
        "Name",
        [
            required("a name, such as the application that will use the key"),
            Length(max=LONGEST_NAME, message=f"A name can have at most {LONGEST_NAME} characters."),
            one_line,
        ],
        filters=[trimmed],
        description="Where the key will be used, so that you can distinguish keys.",
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )
