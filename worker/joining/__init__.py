"""Getting into a room: address, token, attempts and their budget. It does not look at what happens in the room."""
