"""Readings of a room's transport and of its receivers' jitter buffers, by LiveKit's SDK."""

import asyncio
import time
from collections.abc import Iterable

import structlog
from livekit import rtc
from livekit.rtc._proto.stats_pb2 import CandidatePairStats, RtcStats

from store.database.boot_clock import boottime_ns
from worker.room.missing.connection_proof import ConnectionReading, PairCounters
from worker.room.room_reading import RoomReading, TrackReading

_log = structlog.get_logger(__name__)

_STATS_SECONDS = 2.0
_MS_NS = 1_000_000


class LiveKitStats:
    """Reads one room. The room's statistics name a receiver otherwise than its track; each track is asked once."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._names: dict[str, tuple[rtc.RemoteAudioTrack, str]] = {}  # sid → what the statistics call it

    async def read(self, tracks: dict[str, rtc.RemoteAudioTrack]) -> RoomReading | None:
        """A reading of the connection and of those `tracks` (by sid) that have a receiver; None: no answer came."""
        asked_ns = boottime_ns()
        try:
            async with asyncio.timeout(_STATS_SECONDS):
                stats = await self._room.get_rtc_stats()
                answered_ns, wall_ns = boottime_ns(), time.time_ns()
                await self._learn_names(tracks)
        except Exception as error:  # the SDK raises nothing narrower
            _log.debug("room_stats.unreadable", error=type(error).__name__)
            return None
        reports = [*stats.publisher_stats, *stats.subscriber_stats]
        pairs = dict(_nominated(reports, wall_ns - answered_ns))
        by_name = dict(_receivers(reports))
        found = {sid: by_name[name] for sid, (_, name) in self._names.items() if name in by_name and sid in tracks}
        return RoomReading(ConnectionReading(asked_ns, answered_ns, pairs), found)

    async def _learn_names(self, tracks: dict[str, rtc.RemoteAudioTrack]) -> None:
        self._names = {sid: known for sid, known in self._names.items() if tracks.get(sid) is known[0]}
        for sid, track in list(tracks.items()):
            if sid not in self._names:
                for one in await track.get_stats():
                    if one.HasField("inbound_rtp"):
                        self._names[sid] = (track, one.inbound_rtp.inbound.track_identifier)


def _nominated(reports: Iterable[RtcStats], wall_minus_boot_ns: int) -> Iterable[tuple[str, PairCounters]]:
    for one in reports:
        if one.HasField("candidate_pair") and one.candidate_pair.candidate_pair.nominated:
            yield one.candidate_pair.rtc.id, _counters(one.candidate_pair.candidate_pair, wall_minus_boot_ns)


def _counters(pair: CandidatePairStats, wall_minus_boot_ns: int) -> PairCounters:
    last_ms = pair.last_packet_received_timestamp  # of the wall clock, which may have been set meanwhile
    return PairCounters(
        num_bytes=pair.bytes_received,
        stun_messages=pair.requests_received + pair.responses_received,
        last_packet_ns=round(last_ms * _MS_NS) - wall_minus_boot_ns if last_ms else None,
    )


def _receivers(reports: Iterable[RtcStats]) -> Iterable[tuple[str, TrackReading]]:
    for one in reports:
        if one.HasField("inbound_rtp"):
            inbound, received = one.inbound_rtp.inbound, one.inbound_rtp.received
            yield (
                inbound.track_identifier,
                TrackReading(
                    concealed_samples=inbound.concealed_samples,
                    emitted_samples=inbound.jitter_buffer_emitted_count,
                    waited_seconds=inbound.jitter_buffer_delay,
                    packets=received.packets_received,
                    discarded_packets=inbound.packets_discarded,
                    stretched_samples=inbound.inserted_samples_for_deceleration
                    + inbound.removed_samples_for_acceleration,
                ),
            )
