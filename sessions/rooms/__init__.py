"""The customer's room: which URLs may be dialed, and what its token says without its secret."""
