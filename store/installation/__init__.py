"""What belongs to this installation alone: which object storage is its own."""
