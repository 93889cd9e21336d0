"""What the measurement of pages needs: a year of data, and a visitor."""
