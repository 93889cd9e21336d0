"""The forecast of all companies of an organization: computed in the background, read by pages."""
