"""Texts of a session: how long they may be, what is kept of them, what is hidden, and what a transcript is made of."""
