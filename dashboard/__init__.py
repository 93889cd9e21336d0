"""The dashboard: where people see how customers are, and change what decides it."""
