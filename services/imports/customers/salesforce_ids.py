"""Salesforce writes ids with 15 characters in reports and with 18 elsewhere."""

SHORT = 15

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def lengthen(record_id: str) -> str:
    """Return an id with 18 characters: the last three tell which of the others are capitals."""
    if len(record_id) != SHORT:
        return record_id
    suffix = ""
    for start in range(0, SHORT, 5):
        capitals = sum(
            1 << place
            for place, character in enumerate(record_id[start : start + 5])
            if "A" <= character <= "Z"
        )
        suffix += _DIGITS[capitals]
    return record_id + suffix
