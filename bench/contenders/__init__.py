"""What `recording` measures side by side: Parley, a bare loop on LiveKit's SDK (the "floor"), livekit-agents."""
