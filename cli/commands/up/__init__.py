"""`brazebee up`: starts, supervises and stops everything that the product needs."""
