"""Rules and settings of the tests that evaluate companies."""

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

FEW_LOGINS = """
version: 1
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
"""

per_example = hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""For properties whose examples share a database, each with an organization of its own."""
