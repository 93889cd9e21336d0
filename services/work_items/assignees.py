"""Whose an item is: the person who was assigned, or else the member that the company's owner is."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.health.work_items.item_filter import Assigned, Unassigned
from models.health.work_items.item_list import ListedItem
from models.people import memberships
from models.people.memberships import ListedMember


@dataclass(frozen=True)
class Responsible:
    """Who is responsible for an item; `is_assigned` is whether somebody said so."""

    person_id: int
    name: str
    email: str
    is_assigned: bool


class Assignees:
    """The members of an organization to whom items can be assigned, and the owners they are."""

    def __init__(self, organization_id: int) -> None:
        listed = memberships.list_for_organization(organization_id)
        self.members: Sequence[ListedMember] = [m for m in listed if m.disabled_at is None]
        self._by_id = {member.person_id: member for member in self.members}
        self._owners = memberships.list_owner_keys(organization_id)

    def items_of(self, person_id: int) -> Assigned:
        """Return the condition for the items of a person."""
        return Assigned(person_id, tuple(k for k, of in self._owners.items() if of == person_id))

    def items_of_nobody(self) -> Unassigned:
        """Return the condition for the items that are nobody's."""
        return Unassigned(tuple(self._owners))

    def find(self, person_id: int) -> ListedMember | None:
        """Return a member by their id."""
        return self._by_id.get(person_id)

    def find_by_email(self, email: str) -> ListedMember | None:
        """Return a member by their email, regardless of case."""
        return next((m for m in self.members if m.email.lower() == email.lower()), None)

    def responsible_for(self, item: ListedItem) -> Responsible | None:
        """Return whose an item is; None if it is nobody's."""
        if item.assignee_id is not None:
            return Responsible(
                item.assignee_id, item.assignee or "", item.assignee_email or "", is_assigned=True
            )
        owner = self._by_id.get(self._owners.get(item.owner_key or "", 0))
        if owner is None:
            return None
        return Responsible(owner.person_id, owner.name, owner.email, is_assigned=False)
