"""What forms of several pages share: how entries are trimmed, read and checked."""

from collections.abc import Callable
from typing import Any

from wtforms import Field, PasswordField, SelectField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import DataRequired, Length, ValidationError

from services.accounts import people as changes
from services.accounts.passwords import LONGEST, UnfitPassword, check_fit
from services.accounts.people import LONGEST_EMAIL, LONGEST_NAME, NotPossible
from services.accounts.roles import Role


def trimmed(text: str | None) -> str | None:
    """A filter: text without white space around it."""
    return text.strip() if text else text


def required(what: str) -> DataRequired:
    """A validator: something but blanks must be entered, and what."""
    return DataRequired(f"Enter {what}.")


def one_line(_form: object, field: Field) -> None:
    """A validator: text of one line."""
    if field.data and not str(field.data).isprintable():
        raise ValidationError("Use one line of plain text.")


def email_field(label: str = "Email", **options: Any) -> StringField:
    """A field for an email, in the form of one."""

    def check(_form: object, field: Field) -> None:
        try:
            changes.read_email(str(field.data))
        except NotPossible as error:
            raise ValidationError(str(error)) from None

    render = {"autocomplete": "off", "type": "email", "maxlength": LONGEST_EMAIL}
    return StringField(
        label, [required("an email"), check], filters=[trimmed], render_kw=render, **options
    )


def name_field(label: str = "Name", *, optional: bool = False, **options: Any) -> StringField:
    """A field for a person's name."""
    longest = Length(max=LONGEST_NAME, message=f"A name has at most {LONGEST_NAME} characters.")
    checks: list[Any] = [longest, one_line]
    if not optional:
        checks.insert(0, required("a name"))
    render = {"autocomplete": "name", "maxlength": LONGEST_NAME}
    return StringField(label, checks, filters=[trimmed], render_kw=render, **options)


def new_password_field(label: str = "New password", **options: Any) -> PasswordField:
    """A field for a password to be; `fits` checks it with the email that it is for."""
    render = {"autocomplete": "new-password", "maxlength": LONGEST}
    return PasswordField(label, [required("a password")], render_kw=render, **options)


def choice(value: str, text: str) -> Any:
    """One choice of a `SelectField`."""
    return SelectChoice(value, text)


def role_field(label: str = "Role", **options: Any) -> SelectField:
    """A field for one of the roles."""
    choices = [choice(role.value, role.value.capitalize()) for role in Role]
    return SelectField(label, choices=choices, **options)


def fits(email: str) -> Callable[[object, Field], None]:
    """A validator: a password that somebody with this email may choose."""

    def check(_form: object, field: Field) -> None:
        try:
            check_fit(str(field.data), email=email)
        except UnfitPassword as error:
            raise ValidationError(str(error)) from None

    return check
