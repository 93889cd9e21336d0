"""The parameter `sort` of lists: a column to sort by; a leading `-` means descending order."""

from collections.abc import Collection, Mapping


def column_of(sort: str) -> str:
    """Return the column of an order."""
    return sort.removeprefix("-")


def is_descending(sort: str) -> bool:
    """Whether an order is descending."""
    return sort.startswith("-")


def sorted_by(column: str, present: str, descending_first: Collection[str]) -> str:
    """Return the order that a click on the title of a column leads to from the present one.

    That is the other direction if the list is sorted by the column already.
    """
    if column == column_of(present):
        return reversed_order(present)
    return f"-{column}" if column in descending_first else column


def reversed_order(sort: str) -> str:
    """Return the order in the opposite direction."""
    return column_of(sort) if is_descending(sort) else f"-{sort}"


def direction(column: str, present: str) -> str:
    """Return how a list is sorted by a column, as a value of `aria-sort`."""
    if column_of(present) != column:
        return "none"
    return "descending" if is_descending(present) else "ascending"


def offered(
    titles: Mapping[str, str], present: str, descending_first: Collection[str]
) -> list[tuple[str, str]]:
    """Return the orders to choose from where columns have no titles that sort them.

    A column has the direction that the first click on its title would give it, and the one that the
    list is sorted by has the present direction.
    """
    return [
        (
            present if name == column_of(present) else sorted_by(name, present, descending_first),
            title,
        )
        for name, title in titles.items()
    ]
