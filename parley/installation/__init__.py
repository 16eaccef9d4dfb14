"""What every command needs of this installation: settings, secrets, the object storage, the schema, logging."""
