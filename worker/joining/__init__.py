"""Getting into a room: address, token, attempts and their budget. What happens inside is not its concern."""
