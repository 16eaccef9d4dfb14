"""Sessions as customers ask for them: created, found, edited, commanded and erased."""
