"""What caused a health change, in words."""

CAUSES = {
    "time": "because time passed",
    "event": "after an event",
    "override": "after a snooze or override",
    "rule_change": "after a rule change",
    "import": "imported history",
}
"""By the cause as transitions store it."""


def describe_cause(cause: str, made_by: str | None = None) -> str:
    """Describe a cause, with the person who made the change if there is one."""
    words = CAUSES.get(cause, cause)
    return f"{words} by {made_by}" if made_by else words
