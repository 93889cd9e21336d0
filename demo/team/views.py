"""The views of Companies and of the worklist that the team of the demo shares."""

from urllib.parse import urlencode

from models.people import memberships, saved_views
from models.people.saved_views import ViewedList

VIEWS = (
    (
        ViewedList.COMPANIES,
        "Renewals with unused seats",
        {"flag": "Seats in use", "sort": "renewal", "next.renewal": "90"},
    ),
    (
        ViewedList.WORKLIST,
        "Critical, nobody assigned",
        {"whose": "unassigned", "status": "Critical", "sort": "-value"},
    ),
)
"""The list, the name, and the parameters of each view, in the order of the list's URL."""


def share_views(organization_id: int) -> None:
    """Add the views in the current transaction; nothing if there are no members.

    Their author is the first member.
    """
    for author in memberships.list_for_organization(organization_id)[:1]:
        for listed, name, parameters in VIEWS:
            saved_views.add(
                organization_id,
                author.person_id,
                name,
                urlencode(parameters),
                shared=True,
                listed=listed,
            )
