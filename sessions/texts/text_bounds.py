"""How long the texts of a session may be, in characters, and what none of them may hold."""

NO_NUL = r"^[^\x00]*$"  # PostgreSQL has no place for NUL, in text or in JSON

SHORT_CHARACTERS = 256  # names, ids of customers, identities of participants
TITLE_CHARACTERS = 500
LONG_CHARACTERS = 32_768  # a message, a prompt
PREVIEW_CHARACTERS = 200  # what lists show of a text
