"""Everything needed to run on one machine: embedded servers and a process supervisor."""
