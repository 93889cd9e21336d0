"""`brazebee demo-data`: customers with a believable year, to show the product with full pages."""
