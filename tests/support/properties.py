"""How many examples Hypothesis draws for a property: the profile decides, a test only scales it.

`ci` is the default: few examples, the same ones in every run. `thorough` draws many at random:

    HYPOTHESIS_PROFILE=thorough pytest tests/unit/rules

A test without settings of its own draws as many examples as its profile. `@effort(3)` draws three
times as many, `@effort(1/3)` a third, for instance because each example writes to PostgreSQL.
"""

import os

from hypothesis import HealthCheck, settings

THOROUGH_TIMEOUT = 3600
"""Seconds that one test may take in the profile `thorough`."""

_COMMON = settings(
    deadline=None,  # the machine is shared with other test processes
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def load_profile() -> None:
    """Load the profile that the environment names; `--hypothesis-profile` overrides it."""
    settings.register_profile("ci", _COMMON, max_examples=10, derandomize=True)
    settings.register_profile("thorough", _COMMON, max_examples=2_000, derandomize=False)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def profile_is_thorough() -> bool:
    return settings.get_current_profile_name() == "thorough"


def seeds() -> range:
    """Return the seeds of random runs that are too long to be examples of a property."""
    return range(6 if profile_is_thorough() else 1)


def effort(factor: float) -> settings:
    """Return settings that draw `factor` times as many examples as the profile."""
    return settings(max_examples=max(1, round(factor * settings().max_examples)))
