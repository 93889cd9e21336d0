"""What became of companies, and how well flags warned of it."""
