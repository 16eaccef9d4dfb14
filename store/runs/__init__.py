"""Who records which session: claims, runs, beats and the fence against those who were replaced."""
