"""Sessions over HTTP: create, read, list, edit, command and erase them. Their rows are `store.sessions`'."""
