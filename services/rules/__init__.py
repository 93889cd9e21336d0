"""Rule files: applying them, planning what they change, and backtesting them."""
