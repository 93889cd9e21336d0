"""Charts drawn as SVG on the server; one module for each kind."""
