"""Rules of the tests that evaluate companies."""

FEW_LOGINS = """
version: 1
events: {login: , report: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 2 times in 10 seconds}
"""
