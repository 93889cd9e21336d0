"""The pages: a module or package with a blueprint for each."""
