"""The texts of the rule files that ship, as examples for edits."""

from config.files import HEALTH_RULES, RULE_EXAMPLES

FILES = [
    path.read_text(encoding="utf-8")
    for path in (HEALTH_RULES, *sorted(RULE_EXAMPLES.glob("*.yaml")))
    if not path.name.endswith(".test.yaml")
]
