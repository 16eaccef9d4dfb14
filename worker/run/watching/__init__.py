"""What happens to a run while it records: in its room, to its connection, and to its own process."""
