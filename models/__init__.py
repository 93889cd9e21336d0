"""The tables, by domain, and every query over them."""
