"""What every command needs of this installation: settings, secrets, object storage, a checked schema, logging."""
