"""How values are shown to people: words, charts, differences, exports."""
