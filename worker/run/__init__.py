"""One session from claim to seal: `session_runner` decides, and each other module does one part of the work."""
