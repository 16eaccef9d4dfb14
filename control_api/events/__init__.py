"""A session's log of transitions and events over HTTP. It is written by `store.lifecycle`."""
