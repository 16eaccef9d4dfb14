"""What the receiver's jitter buffer did to a track, by readings of its counters: delayed it, made it up, let it go."""
