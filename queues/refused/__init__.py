"""What clients sent and the ingress refused, kept for a while so that somebody can see it."""
