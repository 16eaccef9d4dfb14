"""Who records which session: claims, runs, beats and the fence that keeps replaced workers out."""
