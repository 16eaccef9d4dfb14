"""How many packets a new jitter buffer has discarded, by its counters. Pure.

When more packets come than a jitter buffer wants before it begins to play, it discards some of them: 20 to 300 ms of
speech right after several of 40 takeovers (measured with livekit 1.2.1 on a busy machine). The counter of discarded
packets also counts doubles (redundant copies), of which a sender sends none, one or two for each packet.
"""

from worker.room.room_reading import TrackReading

_MOST_DOUBLES = 2
_OWED = 2  # the counter of discarded packets lags by so many doubles


def packets_let_go(reading: TrackReading) -> int:
    """How many packets that were no doubles a receiver has discarded. It must be new, a few seconds old at most."""
    if reading.packets == 0:
        return 0
    doubles = min((reading.discarded_packets + _OWED) // reading.packets, _MOST_DOUBLES)
    return max(reading.discarded_packets - doubles * reading.packets, 0)
