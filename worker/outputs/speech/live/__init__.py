"""Speech of sessions that still run: their segments as they grow, one follower per session, and who follows what.

It closes no transcript: when a session is over, the transcription job does the rest.
"""
