"""The form of an outcome, and reading what it has."""

from datetime import date
from decimal import Decimal
from typing import cast

from wtforms import DateField, Form, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from dashboard.access.visitors import reader_zone
from dashboard.pages.outcomes.frame import TITLES
from dashboard.web.context import now
from dashboard.web.forms import choice, normalize_line_ends, required, trimmed
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.imports.csv_files.numerals import depends_on_point, read_numeral
from services.outcomes.entering import LONGEST_NOTE, OutcomeRefused


def _is_amount(_form: object, field: StringField) -> None:
    if field.data:
        read_amount(field.data)


def read_amount(text: str) -> Decimal | None:
    """Return an amount that a person typed; None for nothing.

    Raises:
        ValidationError: it is no amount, or could be two different ones.
    """
    if not text:
        return None
    numeral = read_numeral(text)
    if numeral is None or depends_on_point([numeral]):
        raise ValidationError("Enter an amount such as 12000 or 12000.50.")
    value = numeral.value(numeral.points[0])
    return Decimal(str(value)).quantize(Decimal("0.01"))


def today() -> date:
    """Return the present day in the reader's time zone, which a new outcome has unless changed."""
    return now().astimezone(reader_zone()).date()


class OutcomeForm(Form):
    """The parts of an outcome of a company that is known."""

    kind = SelectField(
        "Outcome", choices=[choice(kind.value, title) for kind, title in TITLES.items()]
    )
    day = DateField("Day", [InputRequired("Enter a day.")])
    amount = StringField(
        "Amount",
        [_is_amount],
        filters=[trimmed],
        description="Optional: what was lost, renewed, won or given up.",
        render_kw={"inputmode": "decimal", "autocomplete": "off", "maxlength": 30},
    )
    note = TextAreaField(
        "Note",
        filters=[normalize_line_ends, trimmed],
        description="Optional: why.",
        render_kw={"rows": 2, "maxlength": LONGEST_NOTE},
    )

    def outcome(self, company_id: int) -> NewOutcome:
        """Return the outcome of a valid form."""
        return NewOutcome(
            company_id,
            OutcomeKind(self.kind.data),
            cast("date", self.day.data),
            read_amount(self.amount.data or ""),
            self.note.data or "",
        )

    def note_refusal(self, error: OutcomeRefused) -> None:
        """Show why an outcome was refused beside its field."""
        self[error.field].errors = [str(error)]


class OutcomeOfCompanyForm(OutcomeForm):
    """The same with the company, by its id or name."""

    company = StringField(
        "Company",
        [required("the ID or the name of a company")],
        filters=[trimmed],
        description="Its ID or its name.",
        render_kw={"autocomplete": "off", "maxlength": 200},
    )
