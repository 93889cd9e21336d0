"""Reads numbers as people and spreadsheets write them: 1,200.50, 1.200,50, $1,200, (300), 45%."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

MOST_DIGITS = 15
"""Digits that a number keeps exactly. Longer ones are ids, and stay text."""

_CURRENCY = (
    r"(?:[A-Z]{0,3}[$€£¥₹₽₩₪₺]|AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|ILS|INR|JPY|KRW|MXN|NOK"
    r"|NZD|PLN|SEK|SGD|TRY|USD|ZAR|kr)"
)
"""Before or after an amount. Other letters make it an id, such as ABC123."""

_NUMERAL = re.compile(
    r"(?P<open>\()?"
    r"(?P<minus>[-−])?"
    rf"(?P<before>{_CURRENCY})?\s?"
    r"(?P<inner_minus>[-−])?"
    r"(?P<digits>\d(?:[\d.,'\u2019 \u00a0\u202f]*\d)?)"
    rf"\s?(?P<after>%|{_CURRENCY})?"
    r"(?P<close>\))?"
)

_GROUPS = r"(?:0|[1-9]\d*|[1-9]\d{{0,2}}(?:[{group}'\u2019 \u00a0\u202f]\d{{3}})+)"
_BY_POINT = {
    ".": re.compile(_GROUPS.format(group=",") + r"(?:\.\d+)?"),
    ",": re.compile(_GROUPS.format(group=".") + r"(?:,\d+)?"),
}
"""The numbers of each decimal point. A leading zero makes it an id or a postal code instead."""


class Numeral(NamedTuple):
    """The digits of a number as they are written, its sign, and its currency or `%`.

    `points` are the decimal points with which the digits are a number: `.`, `,` or both.
    """

    digits: str
    negative: bool = False
    unit: str = ""
    points: str = ".,"

    def value(self, point: str) -> int | float:
        """Return the number, an integer if it is whole."""
        whole, _, fraction = self.digits.partition(point)
        whole = re.sub(r"\D", "", whole)
        sign = -1 if self.negative else 1
        if not fraction.strip("0"):
            return sign * int(whole)
        return sign * float(f"{whole}.{fraction}")


def read_numeral(text: str) -> Numeral | None:
    """Return the parts of a number, None if a text is not one, such as `007` or `+49 30 1234`."""
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return Numeral(text) if text[0] != "0" or text == "0" else None
    match = _NUMERAL.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    signs = [match["open"], match["minus"], match["inner_minus"]]
    units = [unit for unit in (match["before"], match["after"]) if unit]
    if sum(map(bool, signs)) > 1 or len(units) > 1 or _significant(match["digits"]) > MOST_DIGITS:
        return None
    digits = match["digits"]
    points = "".join(point for point, form in _BY_POINT.items() if form.fullmatch(digits))
    return Numeral(digits, any(signs), units[0] if units else "", points) if points else None


def read_numerals(texts: Iterable[str]) -> list[Numeral] | None:
    """Return all texts as numbers of one unit, None if they are not."""
    numerals: list[Numeral] = []
    for text in texts:
        numeral = read_numeral(text)
        if numeral is None or (numerals and numeral.unit != numerals[0].unit):
            return None
        numerals.append(numeral)
    return numerals or None


def most_numbers(counted: Mapping[str, int]) -> list[str]:
    """Return those of the texts that are numbers of one unit and one decimal point.

    Of several units or points, they have the one of the most cells; `counted` has the cells of
    each text.
    """
    numerals = {text: numeral for text in counted if (numeral := read_numeral(text))}
    units: Counter[str] = Counter()
    for text, numeral in numerals.items():
        units[numeral.unit] += counted[text]
    numerals = {t: n for t, n in numerals.items() if n.unit == units.most_common(1)[0][0]}
    if decimal_points(numerals.values()):
        return list(numerals)
    points: Counter[str] = Counter()
    for text, numeral in numerals.items():
        points.update(dict.fromkeys(numeral.points, counted[text]))
    return [t for t, n in numerals.items() if points.most_common(1)[0][0] in n.points]


def decimal_points(numerals: Iterable[Numeral]) -> set[str]:
    """Return the decimal points with which all of these are numbers."""
    points = set(_BY_POINT)
    for numeral in numerals:
        points &= set(numeral.points)
    return points


def depends_on_point(numerals: Iterable[Numeral]) -> bool:
    """Whether one of them is another number with another decimal point, as 1.200 is."""
    return any(
        len(numeral.points) > 1 and numeral.value(".") != numeral.value(",") for numeral in numerals
    )


def _significant(digits: str) -> int:
    return len(re.sub(r"\D", "", digits).lstrip("0"))
