"""The rule file in an editor, its versions, and trials of an edit."""
