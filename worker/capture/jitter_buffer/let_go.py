"""What a new jitter buffer let go of what came, by its counters. Pure.

Packets that come before a jitter buffer has begun to play are more than it wants, and it throws some of them away: 20
to 300 ms of speech right behind several of 40 takeovers (measured with livekit 1.2.1 on a busy machine). They count as
discarded, as doubles do, of which a sender sends none, one, or two of each packet.
"""

from worker.room.room_reading import TrackReading

_MOST_DOUBLES = 2
_OWED = 2  # doubles, by a counter that lags


def packets_let_go(reading: TrackReading) -> int:
    """How many packets a receiver has thrown away since it is new, which is a few seconds at the most."""
    if reading.packets == 0:
        return 0
    doubles = min((reading.discarded_packets + _OWED) // reading.packets, _MOST_DOUBLES)
    return max(reading.discarded_packets - doubles * reading.packets, 0)
