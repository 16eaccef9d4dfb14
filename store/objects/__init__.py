"""Object storage, local or remote, through obstore: what is reported as stored survives a power cut."""
