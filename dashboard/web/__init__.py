"""How the dashboard handles requests: forms, addresses, errors, headers, its context."""
