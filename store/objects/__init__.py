"""Object storage, local or remote, through obstore: what is said to be stored is durable."""
