"""What whoever runs an installation does to it: its schema, keys, organizations, secrets, storage and bills."""
