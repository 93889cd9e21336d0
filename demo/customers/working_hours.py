"""When people work: hours of the day, days of the week, seasons and holidays."""

from datetime import date, datetime, timedelta
from random import Random

HOURS = (0, 0, 0, 0, 0, 1, 2, 5, 12, 16, 17, 14, 8, 12, 15, 16, 13, 9, 5, 3, 2, 1, 1, 0)
"""Weights of the hours of the day, in the customer's local time."""

WEEKDAYS = (1.08, 1.12, 1.1, 1.05, 0.85, 0.09, 0.07)
"""Activity from Monday to Sunday, relative to an average working day."""

MONTHS = {
    "Education": {6: 0.75, 7: 0.25, 8: 0.35, 9: 1.25, 12: 0.8},
    "Retail": {1: 0.7, 10: 1.15, 11: 1.35, 12: 1.3},
    "Finance": {1: 1.2, 4: 1.15, 7: 0.9, 8: 0.8, 10: 1.1},
    "Logistics": {1: 0.85, 10: 1.1, 11: 1.2, 12: 1.15},
    "Media": {7: 0.85, 8: 0.8, 9: 1.1},
}
"""Seasonal factors of an industry by month; other months count as 1."""

SUMMER = {"Europe": 0.75, "North America": 0.9}
"""Factors of July and August in a region."""

OFFSETS = {
    "Europe": timedelta(hours=1),
    "North America": timedelta(hours=-6),
    "Latin America": timedelta(hours=-3),
    "Asia Pacific": timedelta(hours=8),
}
"""How far a region's clock is ahead of UTC."""


def activity_factor(day: date, industry: str, region: str) -> float:
    """Return the activity on a day, relative to an average working day."""
    season = MONTHS.get(industry, {}).get(day.month, 1.0)
    if day.month in (7, 8) and industry not in MONTHS:
        season *= SUMMER.get(region, 1.0)
    if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
        season *= 0.65
    return WEEKDAYS[day.weekday()] * season


def working_instant(chance: Random, day: datetime, region: str) -> datetime:
    """Choose an instant of a customer's working day; `day` is its local midnight, marked as UTC."""
    hour = chance.choices(range(24), HOURS)[0]
    seconds = chance.uniform(0, 3600)
    return day + timedelta(hours=hour, seconds=round(seconds, 3)) - OFFSETS[region]
