"""One session from claim to seal: `session_runner` decides, the others each do one part of it."""
