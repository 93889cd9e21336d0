"""Paths of the files that ship with the product."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROCFILE = ROOT / "Procfile"
HEALTH_RULES = ROOT / "config" / "health.yaml"
RULE_EXAMPLES = ROOT / "config" / "examples"
DEMO_RULES = ROOT / "config" / "demo" / "story.yaml"
DEMO_DATA_RULES = ROOT / "config" / "demo" / "customers.yaml"
