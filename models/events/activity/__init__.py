"""How active companies and users are: events by week and days with events, for charts."""
