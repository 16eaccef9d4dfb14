"""Tracks that the worker wants and does not get, though its connection is good: it can't or may not hear them. Pure.

A track that is subscribed delivers frames all the time, also while it is muted. When the right to subscribe is taken
from the worker, or a publisher refuses it, its frames just end, and the last 0.5 to 0.7 s of them are made up (measured
with livekit-server 1.13.5: no event says that a track has ended before it begins again).

A subscription takes messages to and fro. What is said until then is lost: 0.9 s from the publication's announcement on
with messages that take 0.15 s each way, 1.9 s with 0.4 (measured). Frames begin with the first packet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS
from worker.room.events import (
    AudioMuted,
    AudioPublished,
    AudioSubscribed,
    AudioUnpublished,
    ListeningAllowed,
    RoomEvent,
)
from worker.room.missing.heard_track import HeardTrack, Missing

GAP_SUBSCRIBING = "gap.subscribing"
GAP_PERMISSION = "gap.permission"
GAP_ENCRYPTED = "gap.encrypted"  # not subscribed, as nobody gave the worker the key
GAP_TRACK_LIMIT = "gap.track_limit"  # not subscribed, as so many are already as may be

_NEVER_ASKED_FOR = (GAP_ENCRYPTED, GAP_TRACK_LIMIT)
_STALL_NS = SECOND_NS  # frames come every 100 ms
_SUBSCRIBING_NS = 4 * SECOND_NS  # a subscription takes up to 2.7 s (measured)
_AT_ONCE_NS = SECOND_NS // 2  # what begins to arrive within it is not worth a gap
_SPEAKING_NS = SECOND_NS  # a track of which nothing comes for so long after its subscription sends nothing
_LINGERING_NS = 3 * SECOND_NS  # frames that come for longer than this are true ones
_PIECE_NS = SECOND_NS
_MADE_UP_NS = SECOND_NS  # the most of the last frames that came without packets, unless nothing is sent


@dataclass(slots=True)
class _Wanted:
    identity: str
    heard_ns: int  # at first, when it was published
    code: str = GAP_PERMISSION
    awaited_ns: int | None = None  # since when it may say something; None: it is muted, or named otherwise
    subscribed_ns: int | None = None
    ever: bool = False
    missed_ns: int | None = None  # handed out up to here
    packets_ns: int | None = None

    def told_ns(self) -> int:
        """Until when it is known whether it was missing."""
        return self.true_ns() if self.missed_ns is None else self.missed_ns

    def true_ns(self) -> int:
        """Until when its frames held what was sent."""
        if self.packets_ns is None:
            return self.heard_ns
        return min(max(self.packets_ns, self.heard_ns - _MADE_UP_NS), self.heard_ns)

    def unarrived(self, until_ns: int, named_ns: int) -> list[Missing]:
        """What was not subscribed to in time, given that nothing has come before `until_ns`."""
        if self.awaited_ns is None or self.awaited_ns <= named_ns or self.ever or self.missed_ns is not None:
            return []
        if until_ns - self.heard_ns > self.patience_ns():
            return []  # it was refused
        if self.subscribed_ns is not None and until_ns - self.subscribed_ns > _SPEAKING_NS:
            until_ns = self.subscribed_ns
        if until_ns - self.awaited_ns <= _AT_ONCE_NS:
            return []
        return [Missing(GAP_SUBSCRIBING, self.awaited_ns, until_ns, self.identity)]

    def patience_ns(self) -> int:
        if self.code in _NEVER_ASKED_FOR:
            return 0
        return _STALL_NS if self.ever else _SUBSCRIBING_NS


@dataclass(slots=True)
class UnheardTracks:
    """Follows the tracks of one room after the other; instants are of the boot-time clock, in nanoseconds."""

    _wanted: dict[str, _Wanted] = field(default_factory=dict)
    _ended: list[Missing] = field(default_factory=list)  # not handed out yet
    _forbidden_ns: int | None = None
    _began_ns: int = 0
    _named_ns: int = 0
    _takes_over: bool = False

    def entered(self, began_ns: int, *, takes_over: bool) -> None:
        """The worker is in a room, for the first time or again, and the recording began at `began_ns`.

        What a takeover costs those who are there already is named by who takes over.
        """
        self._began_ns, self._takes_over = began_ns, takes_over

    def forget(self) -> None:
        """The room, or the connection to it, is lost: what is missing now has another reason."""
        self._wanted.clear()
        self._forbidden_ns = None

    def take(self, event: RoomEvent, now_ns: int) -> None:
        """Take note of what happened in the room."""
        match event:
            case AudioPublished(sid=sid, identity=identity, wanted=True, encrypted=encrypted, left_out=left_out):
                code = GAP_ENCRYPTED if encrypted else GAP_TRACK_LIMIT if left_out else GAP_PERMISSION
                named = code in _NEVER_ASKED_FOR or (self._takes_over and event.at_join)
                awaited_ns = None if named or event.muted else max(now_ns, self._began_ns)
                self._wanted.setdefault(sid, _Wanted(identity, now_ns, code, awaited_ns))
            case AudioSubscribed(track=track) if track.sid in self._wanted:
                self._wanted[track.sid].subscribed_ns = now_ns
            case AudioMuted(sid=sid, muted=muted) if sid in self._wanted:
                self._mute(self._wanted[sid], muted, now_ns)
            case AudioUnpublished(sid=sid):
                self._end(self._wanted.pop(sid, None), now_ns)
            case ListeningAllowed(allowed=allowed):
                self._forbidden_ns = None if allowed else now_ns
                if not allowed:
                    for wanted in self._wanted.values():
                        if wanted.ever and wanted.missed_ns is None:
                            wanted.heard_ns, wanted.packets_ns = now_ns, None

    def look(self, proven_ns: int, tracks: Sequence[HeardTrack], named_ns: int = 0) -> list[Missing]:
        """What is known to be missing, given that the connection was good until `proven_ns`.

        Args:
            named_ns: what is missing of whoever was there before it has been named for another reason.
        """
        found, self._ended = self._ended, []
        self._named_ns = named_ns
        for track in tracks:
            wanted = self._wanted.get(track.sid)
            if wanted is not None and not self._lingers(track):
                if track.first_ns > wanted.heard_ns:
                    found += wanted.unarrived(_first_ns(wanted, tracks, track.first_ns), named_ns)
                found += self._heard(wanted, track)
        for wanted in self._wanted.values():
            told_ns = wanted.told_ns()
            missing_ns = proven_ns - wanted.heard_ns
            if missing_ns > wanted.patience_ns() and proven_ns - told_ns >= _PIECE_NS:
                found.append(Missing(wanted.code, told_ns, proven_ns, wanted.identity))
                wanted.missed_ns = proven_ns
        return found

    def close(self, now_ns: int, tracks: Sequence[HeardTrack], named_ns: int = 0) -> list[Missing]:
        """What is missing at the end of the run, which is now, while the connection was good."""
        found = self.look(now_ns, tracks, named_ns)
        for wanted in self._wanted.values():
            found += wanted.unarrived(_first_ns(wanted, tracks, now_ns), named_ns)
        return found + [
            Missing(wanted.code, wanted.missed_ns, now_ns, wanted.identity)
            for wanted in self._wanted.values()
            if wanted.missed_ns is not None and wanted.missed_ns < now_ns
        ]

    def _mute(self, wanted: _Wanted, muted: bool, now_ns: int) -> None:
        if muted or wanted.code in _NEVER_ASKED_FOR:
            wanted.awaited_ns = None
        elif wanted.awaited_ns is None:
            wanted.awaited_ns = now_ns

    def _end(self, wanted: _Wanted | None, now_ns: int) -> None:
        """A track is there no more; what was missing of it until now stays missing."""
        if wanted is None or wanted.told_ns() >= now_ns:
            return
        self._ended += wanted.unarrived(now_ns, self._named_ns)
        if wanted.missed_ns is not None or wanted.code in _NEVER_ASKED_FOR:
            self._ended.append(Missing(wanted.code, wanted.told_ns(), now_ns, wanted.identity))

    def _lingers(self, track: HeardTrack) -> bool:
        """Whether its frames are those that a jitter buffer makes up for a track that is forbidden."""
        since_ns = self._forbidden_ns
        return since_ns is not None and track.first_ns < since_ns and track.last_ns - since_ns < _LINGERING_NS

    def _heard(self, wanted: _Wanted, track: HeardTrack) -> list[Missing]:
        """Frames have come. A process that stood still gets them late; a new subscription tells that from a stall."""
        if track.last_ns <= wanted.heard_ns:
            return []
        is_new = track.first_ns > wanted.heard_ns
        back_ns = track.first_ns if is_new else track.last_ns
        from_ns = wanted.missed_ns
        if from_ns is None and is_new and back_ns - wanted.heard_ns > wanted.patience_ns():
            from_ns = wanted.true_ns()
        wanted.heard_ns, wanted.packets_ns = track.last_ns, track.packets_ns
        wanted.ever, wanted.missed_ns = True, None
        if from_ns is None or back_ns <= from_ns:
            return []
        return [Missing(GAP_PERMISSION, from_ns, back_ns, wanted.identity)]


def _first_ns(wanted: _Wanted, tracks: Sequence[HeardTrack], until_ns: int) -> int:
    """When its participant is heard first, in another track perhaps, but no later than `until_ns`."""
    since_ns = wanted.awaited_ns or 0
    own = (one.first_ns for one in tracks if one.identity == wanted.identity and one.last_ns > since_ns)
    return min([until_ns, *own])
