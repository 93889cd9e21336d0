"""`brazebee demo-data`: customers with a year of believable life, for a product seen in full."""
