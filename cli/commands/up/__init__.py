"""`brazebee up`: everything that the product needs, started, watched and stopped together."""
