"""What the product does: events, health, rules, webhooks, accounts and insights.

A service runs in the transaction of its caller, unless its docstring's first line says that it
opens its own.
"""
