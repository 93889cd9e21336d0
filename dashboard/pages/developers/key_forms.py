"""The forms of API keys: to create one, and to change its scopes."""

from wtforms import Field, Form, StringField
from wtforms.validators import Length, ValidationError

from dashboard.web.forms import CheckboxesField, choice, one_line, required, trimmed
from models.keys.scopes import DEFAULT_SCOPES, Scope, in_order

LONGEST_NAME = 100


def _at_least_one(_form: object, field: Field) -> None:
    if not field.data:
        raise ValidationError("Select at least one scope.")


class ScopesForm(Form):
    """What a key may do."""

    scopes = CheckboxesField(
        "Scopes",
        [_at_least_one],
        choices=[choice(scope.value, f"{scope}: {scope.meaning}") for scope in Scope],
        default=[scope.value for scope in DEFAULT_SCOPES],
    )

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
