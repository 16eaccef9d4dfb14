"""How many packets a new jitter buffer has discarded, by its counters. Pure.

When more packets come than a jitter buffer wants before it begins to play, it discards some of them: 20 to 300 ms of
speech right after several of 40 takeovers (measured with livekit 1.2.1 on a busy machine). The counter of discarded
packets also counts doubles (redundant copies), of which a sender sends none, one or two for each packet.
"""

from worker.room.room_reading import TrackReading

_MOST_DOUBLES = 2
_OWED = 2  # the counter of discarded packets lags by so many doubles
_LOST_SHARE = 8  # and by one of so many packets: a double of a packet that was lost on its way is played


def packets_let_go(reading: TrackReading, packet_samples: int) -> int:
    """How many packets that were no doubles a receiver has discarded. It must be new, a few seconds old at most.

    What was played was not let go, whatever the counters seem to say: when three packets had been lost, each of 145
    doubles was once taken for speech that is missing, and 2.8 s of speech that was heard for a gap (seen).
    """
    if reading.packets == 0:
        return 0
    owed = _OWED + reading.packets // _LOST_SHARE
    doubles = min((reading.discarded_packets + owed) // reading.packets, _MOST_DOUBLES)
    unplayed = reading.packets - reading.emitted_samples // packet_samples
    return max(min(reading.discarded_packets - doubles * reading.packets, unplayed), 0)
