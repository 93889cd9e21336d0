"""The running product of a measurement, and what is in it before."""
