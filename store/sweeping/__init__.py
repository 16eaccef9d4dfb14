"""What happens by itself once it is due: expired, stalled and lost sessions, leftover outputs, retention."""
