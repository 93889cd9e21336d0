"""The tables: what is stored, and every query over it."""
