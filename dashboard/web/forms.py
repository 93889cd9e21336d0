"""Form fields, filters and validators that several pages share."""

from collections.abc import Callable
from typing import Any

from wtforms import Field, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import DataRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from rules.one_line import is_one_line
from services.accounts.passwords import LONGEST, WeakPassword, check_strength
from services.accounts.people import LONGEST_EMAIL, LONGEST_NAME, ChangeRefused, read_email
from services.accounts.roles import Role


class CheckboxesField(SelectMultipleField):
    """A checkbox for each choice."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def trimmed(text: str | None) -> str | None:
    """A filter that strips surrounding white space."""
    return text.strip() if text else text


def normalize_line_ends(text: str | None) -> str | None:
    """Replace line ends of CR LF, as forms send them, by LF; a filter for fields."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if text else text


def required(what: str) -> DataRequired:
    """A validator that rejects blank input; `what` names the expected value."""
    return DataRequired(f"Enter {what}.")


def one_line(_form: object, field: Field) -> None:
    """A validator that accepts one line of printable text."""
    if field.data and not is_one_line(str(field.data)):
        raise ValidationError("Use one line of plain text.")


def email_field(label: str = "Email", **options: Any) -> StringField:
    """A field for a valid email address."""

    def check(_form: object, field: Field) -> None:
        try:
            read_email(str(field.data))
        except ChangeRefused as error:
            raise ValidationError(str(error)) from None

    render = {"autocomplete": "off", "type": "email", "maxlength": LONGEST_EMAIL}
    return StringField(
        label, [required("an email"), check], filters=[trimmed], render_kw=render, **options
    )


def name_field(label: str = "Name", *, optional: bool = False, **options: Any) -> StringField:
    """A field for a person's name."""
    max_length = Length(max=LONGEST_NAME, message=f"A name has at most {LONGEST_NAME} characters.")
    validators: list[Any] = [max_length, one_line]
    if not optional:
        validators.insert(0, required("a name"))
    render = {"autocomplete": "name", "maxlength": LONGEST_NAME}
    return StringField(label, validators, filters=[trimmed], render_kw=render, **options)


def new_password_field(label: str = "New password", **options: Any) -> PasswordField:
    """A field for a new password; validate it with `acceptable_password` as well."""
    render = {"autocomplete": "new-password", "maxlength": LONGEST}
    return PasswordField(label, [required("a password")], render_kw=render, **options)


def choice(value: str, text: str) -> Any:
    """Return one choice of a `SelectField`."""
    return SelectChoice(value, text)


def role_field(label: str = "Role", **options: Any) -> SelectField:
    """A field to select a role."""
    choices = [choice(role.value, role.value.capitalize()) for role in Role]
    return SelectField(label, choices=choices, **options)


def acceptable_password(email: str) -> Callable[[object, Field], None]:
    """A validator for a new password of the person with this email."""

    def check(_form: object, field: Field) -> None:
        try:
            check_strength(str(field.data), email=email)
        except WeakPassword as error:
            raise ValidationError(str(error)) from None

    return check
