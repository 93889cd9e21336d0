"""Dramatiq's private names and keys are used in a single module."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "actors",
    "bench",
    "cli",
    "dashboard",
    "demo",
    "ingress",
    "models",
    "queues",
    "services",
)

PRIVATE = re.compile(
    r"_RedisConsumer|__acks__|__heartbeats__|\.msgs\b|redis_message_id\b|\bdo_(ack|nack|fetch|requeue)\b|\bbroker_id\b"
)


def test_private_names_of_dramatiq_are_used_in_one_module_only() -> None:
    users = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if PRIVATE.search(path.read_text(encoding="utf-8"))
    ]
    assert users == ["queues/dramatiq_layout.py"]
