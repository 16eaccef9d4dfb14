"""What `recording` measures side by side: Parley, the SDK's floor and livekit-agents, behind one protocol."""
