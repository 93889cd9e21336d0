"""The portfolio: daily figures of an organization's companies."""
