"""Where frames lie on the session's clock: by arrival and count, or, for audio ahead of its time, as a player plays it.

It keeps nothing: placed records go to the segments.
"""
