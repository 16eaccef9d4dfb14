"""A recorder's audio on its own disk: written, cut into segments, uploaded, and salvaged from the dead."""
