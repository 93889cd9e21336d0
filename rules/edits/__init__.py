"""Edits of the text of a rule file that leave everything else in it as written."""
