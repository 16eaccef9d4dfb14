"""What a recording lacks because of its room, by what is heard and what proves the connection. Pure."""
