"""The people who use the dashboard: memberships, sessions, saved views."""
