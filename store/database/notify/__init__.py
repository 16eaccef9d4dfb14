"""NOTIFY and LISTEN: the channels, who listens, and one connection that feeds all who wait in a process."""
