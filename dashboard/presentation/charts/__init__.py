"""Charts, drawn as SVG on the server: a module for each kind."""
