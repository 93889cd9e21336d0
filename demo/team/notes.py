"""What the team of the demo writes about customers, with mentions of colleagues."""

from datetime import datetime, timedelta
from random import Random

from demo.customers.names import OWNERS, OWNERS_DOMAIN
from models.companies import company_list
from models.companies.companies import find_ids
from models.companies.company_filter import CompanyFilter
from models.companies.company_list import ListedCompany, Order, Sorting
from models.companies.company_notes import NewNote
from models.people import memberships, mentions, people
from models.people.memberships import ListedMember
from services.accounts.roles import Role
from services.notes import writing

COLLEAGUES = OWNERS[1:4]

CHANGED_LAST = 100
"""Companies of which some have notes."""

SINCE = timedelta(days=30)
"""The age of the oldest note."""

UNREAD = 3
"""Mentions of each person that are unread."""

TROUBLE = (
    "{reader}, they asked for a call about the renewal. Can you join on Thursday at ten?",
    "Called them. Who built the reports has left, and nobody has taken over. Training on Thursday.",
    "Handing over to {colleague} while I am away until Monday. Their last email has everything.",
    "Use has fallen since their reorganization. {reader}, please look at it before I write.",
    "No answer to two emails. I will try the telephone next.",
    "{colleague}, support has two open tickets of theirs. Could you ask how far these are?",
    "{reader} {colleague}: their new head of operations wants to see reports. I proposed Tuesday.",
    "They move to another single sign-on, so fewer people sign in. Look again in three weeks.",
    "They compare us with a competitor. {reader}, who of us knows their procurement?",
    "{colleague}, half of their seats were never used. Would you offer a training?",
    "Their administrator is on leave until the 12th; the deputy has no account yet.",
    "Spoke for half an hour. They want the export to their warehouse before they renew. {reader}",
)
NO_TROUBLE = (
    "Quarterly review: they are content, and plan to add a second department in spring.",
    "{colleague}, they would be a good reference. Would you ask them?",
    "They are back: the training worked. {reader}, thank you for the introduction.",
    "New champion: the finance lead, who used the product before. She signs in daily.",
    "Agreed on two more seats from next month. {colleague} writes the offer.",
)


def add_colleagues(organization_id: int) -> None:
    """Add people who cannot sign in to an organization with members, in the current transaction.

    Without members they are not added: the first person of an installation administers it.
    """
    if not memberships.list_for_organization(organization_id):
        return
    for name in COLLEAGUES:
        email = _email(name)
        person = people.find(email) or people.create(email, name.replace(".", " ").title(), None)
        memberships.add(organization_id, person.id, Role.EDITOR)


def remove_colleagues() -> None:
    """Delete the colleagues whom no organization needs, in the current transaction.

    One who can sign in was made a member by somebody else, and stays.
    """
    for name in COLLEAGUES:
        person = people.find(_email(name))
        if person and person.password_hash is None and person.signed_in_at is None:
            people.delete_unused(person.id)


def _email(name: str) -> str:
    return f"{name}@{OWNERS_DOMAIN}"


def write_notes(organization_id: int, now: datetime, chance: Random) -> None:
    """Write notes about companies in the current transaction; nothing if there are no members."""
    members = memberships.list_for_organization(organization_id)
    colleagues = [member for member in members if member.email.endswith(f"@{OWNERS_DOMAIN}")]
    readers = [member for member in members if member not in colleagues]
    if not colleagues or not readers:
        return
    listed = company_list.read_page(
        organization_id,
        CompanyFilter(left=False),
        Sorting(Order.SINCE, descending=True),
        limit=CHANGED_LAST,
    ).companies
    row_ids = find_ids(organization_id, [company.id for company in listed])
    in_trouble = [company for company in listed if company.raised]
    others = [company for company in listed if not company.raised]
    for text, company in (
        *zip(TROUBLE, in_trouble[:: max(len(in_trouble) // len(TROUBLE), 1)], strict=False),
        *zip(NO_TROUBLE, others[:: max(len(others) // len(NO_TROUBLE), 1)], strict=False),
    ):
        author, colleague = chance.sample(colleagues, 2)
        written = text.format(
            reader=_mention(chance.choice(readers)), colleague=_mention(colleague)
        )
        at = _written_at(company, now, chance)
        writing.add(NewNote(organization_id, row_ids[company.id], author.person_id, at, written))
    for member in members:
        _read_all_but_the_newest(organization_id, member.person_id, now)


def _read_all_but_the_newest(organization_id: int, person_id: int, now: datetime) -> None:
    received, _ = mentions.read_page(organization_id, person_id)
    for mention in received[UNREAD:]:
        mentions.mark_read(organization_id, person_id, mention.note_id, now)


def _mention(member: ListedMember) -> str:
    return f"@{member.email}"


def _written_at(company: ListedCompany, now: datetime, chance: Random) -> datetime:
    """Return an instant since the status of a company changed, on a working day if there is one."""
    since = max(company.since, now - SINCE)
    written = [since + (now - since) * chance.random() for _ in range(10)]
    working = [at for at in written if at.weekday() < 5 and 8 <= at.hour < 18]
    return (working or written)[0]
