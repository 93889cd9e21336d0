"""The language of phrases: its grammar, its parser, and explanations of mistakes."""
