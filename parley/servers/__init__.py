"""Servers that Parley starts on this machine itself: the embedded PostgreSQL, and a livekit-server for demo and tests.

They are children that die with their parent. A PostgreSQL or a LiveKit server elsewhere is not started here.
"""
