"""The commands, a module or package for each group."""
