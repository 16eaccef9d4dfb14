"""What can happen that an organization hears of: the closed list of event types. Nothing is stored or sent here."""
