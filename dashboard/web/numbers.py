"""Numbers in addresses and forms."""

LARGEST = 2**31 - 1


def number(text: str) -> int:
    """A number that the database can hold.

    Raises:
        ValueError: it is none.
    """
    read = int(text)
    if not 0 <= read <= LARGEST:
        raise ValueError(text)
    return read
