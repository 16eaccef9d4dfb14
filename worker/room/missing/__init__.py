"""What a recording lacks because of its room: outages, late talkers, tracks that do not come. Pure.

It is decided by the frames that come, and by readings that prove that the connection was good.
"""
