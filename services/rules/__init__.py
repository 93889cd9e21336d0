"""Rule files: applied, compared, and tried on the past before they are applied."""
