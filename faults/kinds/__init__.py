"""The faults, by what is at fault."""
