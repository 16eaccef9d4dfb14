"""A session's transitions and events over HTTP. They are only read here: `store.lifecycle` writes them."""
