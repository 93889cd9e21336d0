"""Settings, logging and the files that ship with the product."""
