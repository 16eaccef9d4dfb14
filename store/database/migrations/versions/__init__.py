"""One module per revision; a revision that is merged never changes."""
