"""Where frames lie on the session's clock: by arrival and count, or, for audio ahead of its time, as a player plays it.

It keeps nothing: the records that it places go to `audio.segments`.
"""
