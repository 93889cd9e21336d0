"""Flag states, overrides and transitions."""
