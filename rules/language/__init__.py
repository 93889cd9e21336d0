"""The language of phrases: its grammar, its parser, and hints on what was meant."""
