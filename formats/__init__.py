"""The formats in which other products write events, each read into `formats.record.Record`."""
