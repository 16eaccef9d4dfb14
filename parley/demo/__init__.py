"""`parley demo`: a conversation of two talkers in a real LiveKit room, recorded as a customer would, and checked."""
