"""SQL that reads a text as a number or an instant, in the forms that rules accept.

Numbers may be texts; dates are ISO 8601, in UTC unless they have an offset. Dates by week, hours
without minutes, and digits other than those of ASCII are left out, although rules read them.
"""

WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What is removed around a value: the same as in rules."""

_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?0*[0-9]{1,3})?$"
"""Numbers with an exponent as large as that of a double at most."""


def _days(dash: str) -> str:
    """Return a pattern of the dates that exist."""
    year = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
    leap_year = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)"
    return (
        f"{year}{dash}((0[1-9]|1[0-2]){dash}(0[1-9]|1[0-9]|2[0-8])"
        f"|(0[13-9]|1[0-2]){dash}(29|30)|(0[13578]|1[02]){dash}31)|{leap_year}{dash}02{dash}29"
    )


_FRACTION = "([.][0-9]{1,6})?"
_INSTANT = (
    f"^({_days('-')}|{_days('')})"
    "([T ]([01][0-9]|2[0-3])"
    f"(:[0-5][0-9](:[0-5][0-9]{_FRACTION})?|[0-5][0-9]([0-5][0-9]{_FRACTION})?)"
    "(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$"
)
_WITH_OFFSET = "Z$|[T ].*[+-]"


def trimmed(text: str) -> str:
    """Return SQL for an SQL expression of type `text` without surrounding white space."""
    return f"btrim({text}, '{WHITE_SPACE}')"


def is_number(text: str) -> str:
    """Return SQL for whether an SQL expression of type `text` contains a number."""
    return f"{text} ~ '{_NUMBER}'"


def number_in(text: str) -> str:
    """Return SQL for the number that an SQL expression of type `text` contains, or null."""
    return f"case when {text} ~ '{_NUMBER}' then ({text})::numeric end"


def is_instant(text: str) -> str:
    """Return SQL for whether an SQL expression of type `text` contains an instant."""
    return f"{text} ~ '{_INSTANT}'"


def instant_in(text: str) -> str:
    """Return SQL for the instant that an SQL expression of type `text` contains, or null."""
    return (
        f"case when {text} !~ '{_INSTANT}' then null"
        f" when {text} ~ '{_WITH_OFFSET}' then ({text})::timestamptz"
        f" else ({text})::timestamp at time zone 'UTC' end"
    )
