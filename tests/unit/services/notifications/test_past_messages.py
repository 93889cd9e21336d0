"""Which edits of rules can change the messages about what happened."""

import pytest

from rules.file.rule_file import read_rules
from services.notifications.past_messages import sends_otherwise

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
team: {owner: company.csm}
flags:
  - {flag: Quiet, event: login, when: {Critical: no activity for 7 days}}
notify:
  - to: {email: ann@example.com}
    when: status becomes Critical
    where: {company.plan: Pro}
"""


@pytest.mark.parametrize(
    ("former", "edited", "otherwise"),
    [
        ("7 days", "9 days", False),
        ("[Healthy, At Risk, Critical]", "[Healthy, Risky, Poor, Critical]", True),
        ("company.csm", "company.owner", True),
        ("ann@example.com", "ben@example.com", True),
        ("plan: Pro", "plan: Team", True),
        ("becomes Critical", "changes", True),
    ],
)
def test_only_edits_of_who_is_notified_change_them(
    former: str, edited: str, *, otherwise: bool
) -> None:
    book = read_rules(RULES.replace(former, edited))
    assert sends_otherwise(book, read_rules(RULES)) is otherwise


def test_rules_that_notify_nobody_send_none() -> None:
    book = read_rules(RULES)
    quiet = read_rules(RULES[: RULES.index("notify")])
    assert not sends_otherwise(quiet, book)
    assert sends_otherwise(book, quiet)
    assert sends_otherwise(book, None)
