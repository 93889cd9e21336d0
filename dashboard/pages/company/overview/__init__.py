"""The page that a company opens with, and its printable report."""
