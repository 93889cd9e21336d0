"""The page of an organization without companies: what to do first."""

from flask import render_template

from dashboard.access import Member
from dashboard.pages.developers.arrivals import read_arrivals
from dashboard.pages.developers.connect import DOORS
from models.events import rejected_events
from rules.book import RuleBook
from services.rules.rule_books import NO_RULES


def get_started(member: Member, book: RuleBook | None, set_aside: int) -> str:
    """Render the page in the current transaction; `set_aside` is how many events are."""
    return render_template(
        "today/get_started.html",
        doors=DOORS,
        flags=len((book or NO_RULES).flags),
        found=read_arrivals(member),
        set_aside=set_aside,
        many=rejected_events.MANY,
    )
