"""Tracks that the worker wants and does not hear, though its connection is good. Pure.

A subscribed track delivers frames all the time, also while it is muted or nothing is sent. Three things say that frames
do not come because somebody refused (measured with livekit 1.2.1 and livekit-server 1.13.5):

- The worker loses the right to subscribe (`canSubscribe`). The SDK says when, and when it is given back.
- A track that was heard just ends: when its publisher refuses it to the worker, the server takes it out of the
  connection. No event says so. The last 0.5 to 0.7 s of its frames are made up.
- A track does not come at all, for 4 s and for longer than three joins of that server take. When a publisher refuses
  from the beginning, the server tells the worker (`SubscriptionPermissionUpdate`), but the SDK drops that message.

A subscription takes messages to and fro, fewer than a join. What is said until then is lost: 0.9 s from the
announcement of the publication on with messages that take 0.15 s each way, 1.9 s with 0.4 s (measured). Frames begin
with the first packet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from store.database.boot_clock import SECOND_NS
from worker.room.events import (
    AudioMuted,
    AudioPublished,
    AudioSubscribed,
    AudioUnpublished,
    ListeningAllowed,
    RoomEvent,
)
from worker.room.missing.heard_track import HeardTrack, MadeUp, Missing

GAP_SUBSCRIBING = "gap.subscribing"
GAP_PERMISSION = "gap.permission"
GAP_STALLED = "gap.worker_stalled"
GAP_ENCRYPTED = "gap.encrypted"  # not subscribed, as nobody gave the worker the key
GAP_TRACK_LIMIT = "gap.track_limit"  # not subscribed, as so many are already as may be

_STALL_NS = SECOND_NS  # a track is missing when no frame has come for so long; they come every 100 ms
_SUBSCRIBING_NS = 4 * SECOND_NS  # a subscription takes up to 2.7 s where messages are quick (measured) …
_JOINS = 3  # … and where they are slow, no longer than so many joins
_AT_ONCE_NS = SECOND_NS // 2  # a track that begins to arrive within this is not worth a gap
_SPEAKING_NS = SECOND_NS  # a track that brings nothing for so long after its subscription is not sent anything
_LINGERING_NS = 3 * SECOND_NS  # a forbidden track's frames are made up for less; what comes for longer is true
_PIECE_NS = SECOND_NS  # what is missing is handed out in pieces of this length
_MADE_UP_NS = SECOND_NS  # of a track's last frames, at most so much came without packets


@dataclass(frozen=True, slots=True)
class _Ban:
    """The right to subscribe was taken from the worker, and given back at `lifted_ns`; None: not yet."""

    from_ns: int
    lifted_ns: int | None = None

    def split(self, from_ns: int, to_ns: int, patience_ns: int) -> tuple[int, int]:
        """The part of [from_ns, to_ns) that the ban has caused; tracks have `patience_ns` after it to come back."""
        end_ns = to_ns if self.lifted_ns is None else self.lifted_ns + patience_ns
        start_ns = min(max(self.from_ns, from_ns), to_ns)
        return start_ns, max(min(end_ns, to_ns), start_ns)


@dataclass(slots=True)
class _Wanted:
    identity: str
    heard_ns: int  # when it was heard last; at first, when it was published
    never_for: str | None = None  # the gap's code, if the worker does not even ask for the track
    awaited_ns: int | None = None  # since when it may say something that is not heard; None: it is muted
    named_elsewhere: bool = False  # a takeover's gap names what is missing of it at first
    subscribed_ns: int | None = None
    ever: bool = False  # it was heard before
    banned: bool = False  # it was heard until the right to subscribe was taken from the worker
    missed_ns: int | None = None  # it is missing, and that was handed out up to here
    packets_ns: int | None = None  # until when its packets came, by readings

    def told_ns(self) -> int:
        """Up to when it is known whether the track was missing; for one that was heard, or is not asked for."""
        return self.true_ns() if self.missed_ns is None else self.missed_ns

    def true_ns(self) -> int:
        """Until when its frames held what was sent."""
        if self.packets_ns is None:
            return self.heard_ns
        return min(max(self.packets_ns, self.heard_ns - _MADE_UP_NS), self.heard_ns)

    def missing_since(self, proven_ns: int, named_ns: int, patience_ns: int) -> int | None:
        """Since when the track is missing, given that it is not there at `proven_ns`; None: that can't be said yet."""
        if self.never_for is not None:
            return self.told_ns()
        if self.ever:
            return self.told_ns() if self.missed_ns is not None or proven_ns - self.heard_ns > _STALL_NS else None
        if self.missed_ns is not None or self.awaited_ns is None or self.subscribed_ns is not None:
            return self.missed_ns if self.subscribed_ns is None else None
        return max(self.awaited_ns, named_ns) if proven_ns - self.awaited_ns > patience_ns else None

    def refused(self, until_ns: int, patience_ns: int) -> bool:
        """Whether the track has stayed away for so long until then that its publisher must have refused it."""
        return self.missed_ns is not None or (self.awaited_ns is not None and until_ns - self.awaited_ns > patience_ns)

    def unarrived(self, until_ns: int, named_ns: int, patience_ns: int, *, final: bool) -> tuple[int, int] | None:
        """The stretch that was lost because the subscription took so long, given that nothing came before `until_ns`.

        `final`: nothing will come after it either. None: there is no such stretch, or it can't be told yet.
        """
        if self.ever or self.never_for is not None or self.awaited_ns is None:
            return None
        if self.subscribed_ns is not None and until_ns - self.subscribed_ns > _SPEAKING_NS:
            until_ns = self.subscribed_ns
        if self.missed_ns is not None:
            return self.missed_ns, until_ns
        if until_ns - self.awaited_ns <= _AT_ONCE_NS:
            return None
        named_by_its_arrival = self.named_elsewhere or self.awaited_ns <= named_ns
        if named_by_its_arrival and not final and until_ns - self.awaited_ns <= patience_ns:
            return None
        return max(self.awaited_ns, named_ns), until_ns


@dataclass(slots=True)
class UnheardTracks:
    """Follows the tracks of one room after the other; instants are of the boot-time clock, in nanoseconds."""

    _wanted: dict[str, _Wanted] = field(default_factory=dict)
    _ended: list[Missing] = field(default_factory=list)  # not handed out yet
    _ban: _Ban | None = None  # the last one
    _began_ns: int = 0
    _named_ns: int = 0
    _takes_over: bool = False
    _patience_ns: int = _SUBSCRIBING_NS

    def entered(self, began_ns: int, *, takes_over: bool, join_ns: int) -> None:
        """The worker is in a room, for the first time or again, and the recording began at `began_ns`.

        Args:
            takes_over: what is missing at first of those who are there already is named as the takeover's cost.
            join_ns: how long the join took.
        """
        self._began_ns, self._takes_over = began_ns, takes_over
        self._patience_ns = max(_SUBSCRIBING_NS, _JOINS * join_ns)

    def forget(self) -> None:
        """The room, or the connection to it, is lost: what is missing now has another reason."""
        self._wanted.clear()
        self._ban = None

    def take(self, event: RoomEvent, now_ns: int) -> None:
        """Take note of what happened in the room."""
        match event:
            case AudioPublished(sid=sid, identity=identity, wanted=True, encrypted=encrypted, left_out=left_out):
                never_for = GAP_ENCRYPTED if encrypted else GAP_TRACK_LIMIT if left_out else None
                awaited_ns = None if event.muted else max(now_ns, self._began_ns)
                named_elsewhere = self._takes_over and event.at_join
                self._wanted.setdefault(sid, _Wanted(identity, now_ns, never_for, awaited_ns, named_elsewhere))
            case AudioSubscribed(track=track) if track.sid in self._wanted:
                self._wanted[track.sid].subscribed_ns = now_ns
            case AudioMuted(sid=sid, muted=muted) if sid in self._wanted:
                self._mute(self._wanted[sid], muted, now_ns)
            case AudioUnpublished(sid=sid):
                self._end(self._wanted.pop(sid, None), now_ns)
            case ListeningAllowed(allowed=False):
                self._forbid(now_ns)
            case ListeningAllowed(allowed=True) if self._ban is not None:
                self._ban = _Ban(self._ban.from_ns, self._ban.lifted_ns or now_ns)

    def unforbidden(self, made_up: MadeUp) -> list[MadeUp]:
        """The parts that were made up while the worker had the right to subscribe; `look` names the others."""
        if self._ban is None:
            return [made_up]
        lingered_ns = self._ban.from_ns + _LINGERING_NS
        return made_up.outside(self._ban.from_ns, min(lingered_ns, self._ban.lifted_ns or lingered_ns))

    def look(self, proven_ns: int, tracks: Sequence[HeardTrack], named_ns: int = 0) -> list[Missing]:
        """Return what is known to be missing, given that the connection was good until `proven_ns`.

        Args:
            named_ns: what was missing before it, of those who were there, has been named for another reason.
        """
        found, self._ended = self._ended, []
        self._named_ns = named_ns
        for track in tracks:
            wanted = self._wanted.get(track.sid)
            if wanted is not None and not self._lingers(track):
                if track.first_ns > wanted.heard_ns:
                    found += self._unarrived(wanted, _first_ns(wanted, tracks, track.first_ns))
                found += self._heard(wanted, track)
        for wanted in self._wanted.values():
            since_ns = wanted.missing_since(proven_ns, named_ns, self._patience_ns)
            if since_ns is not None and proven_ns - since_ns >= _PIECE_NS:
                *ended, last = self._named(wanted, since_ns, proven_ns)
                found += [*ended, replace(last, lasts=last.to_ns == proven_ns)]
                wanted.missed_ns = proven_ns
        return found

    def close(self, now_ns: int, tracks: Sequence[HeardTrack], named_ns: int = 0) -> list[Missing]:
        """Return what is missing at the end of the run, which is now; the connection was good until now."""
        found = self.look(now_ns, tracks, named_ns)
        for wanted in self._wanted.values():
            if not wanted.ever and wanted.never_for is None:
                found += self._unarrived(wanted, _first_ns(wanted, tracks, now_ns), final=True)
            elif wanted.missed_ns is not None:
                found += self._named(wanted, wanted.missed_ns, now_ns)
        return found

    def _forbid(self, now_ns: int) -> None:
        for wanted in self._wanted.values():
            if not wanted.ever and wanted.subscribed_ns is not None:  # nothing was sent yet; from now on it is missing
                self._ended += self._unarrived(wanted, now_ns)
                wanted.subscribed_ns = wanted.missed_ns = None
                wanted.awaited_ns = None if wanted.awaited_ns is None else now_ns
            elif wanted.ever and wanted.missed_ns is None:
                wanted.heard_ns, wanted.packets_ns, wanted.banned = now_ns, None, True
        self._ban = _Ban(now_ns)

    def _mute(self, wanted: _Wanted, muted: bool, now_ns: int) -> None:
        if not muted:
            wanted.awaited_ns = now_ns if wanted.awaited_ns is None else wanted.awaited_ns
            return
        if wanted.missed_ns is not None:
            self._ended += self._unarrived(wanted, now_ns)
        wanted.awaited_ns = None
        if not wanted.ever and wanted.never_for is None:
            wanted.missed_ns = None

    def _end(self, wanted: _Wanted | None, now_ns: int) -> None:
        """Hand out what is missing of a track that is no longer there."""
        if wanted is None:
            return
        self._ended += self._unarrived(wanted, now_ns, final=True)
        if wanted.never_for is not None or (wanted.ever and wanted.missed_ns is not None):
            self._ended += self._named(wanted, wanted.told_ns(), now_ns)

    def _lingers(self, track: HeardTrack) -> bool:
        """Whether its frames are those that a jitter buffer makes up for a track that is forbidden."""
        if self._ban is None or self._ban.lifted_ns is not None:
            return False
        since_ns = self._ban.from_ns
        return track.first_ns < since_ns and track.last_ns - since_ns < _LINGERING_NS

    def _heard(self, wanted: _Wanted, track: HeardTrack) -> list[Missing]:
        """Take a track's frames; returns what was missing before them.

        When this process stood still they come late, which is no loss; a new subscription tells a loss from that.
        """
        if track.last_ns <= wanted.heard_ns:
            if wanted.ever and not wanted.banned:
                wanted.packets_ns = track.packets_ns
            return []
        is_new = track.first_ns > wanted.heard_ns
        back_ns = track.first_ns if is_new else track.last_ns
        found: list[Missing] = []
        if wanted.ever:
            from_ns = wanted.missed_ns
            if from_ns is None and is_new and back_ns - wanted.heard_ns > _STALL_NS:
                from_ns = wanted.true_ns()
            found = [] if from_ns is None else self._named(wanted, from_ns, max(back_ns, from_ns))
        wanted.heard_ns, wanted.packets_ns = track.last_ns, track.packets_ns
        wanted.ever, wanted.missed_ns, wanted.banned = True, None, False
        return found

    def _unarrived(self, wanted: _Wanted, until_ns: int, *, final: bool = False) -> list[Missing]:
        part = wanted.unarrived(until_ns, self._named_ns, self._patience_ns, final=final)
        return [] if part is None else self._named(wanted, *part)

    def _named(self, wanted: _Wanted, from_ns: int, to_ns: int) -> list[Missing]:
        """What is missing of the track in [from_ns, to_ns), each part with its code."""
        if wanted.never_for is not None:
            parts = [(wanted.never_for, from_ns, to_ns)]
        elif wanted.ever and not wanted.banned:
            came_on = wanted.packets_ns is not None and wanted.packets_ns - wanted.heard_ns > _STALL_NS
            parts = [(GAP_STALLED if came_on else GAP_PERMISSION, from_ns, to_ns)]
        elif self._ban is None:
            parts = [(GAP_PERMISSION if wanted.refused(to_ns, self._patience_ns) else GAP_SUBSCRIBING, from_ns, to_ns)]
        else:
            start_ns, end_ns = self._ban.split(from_ns, to_ns, self._patience_ns)
            parts = [
                (GAP_SUBSCRIBING, from_ns, start_ns),
                (GAP_PERMISSION, start_ns, end_ns),
                (GAP_SUBSCRIBING, end_ns, to_ns),
            ]
        named = [Missing(code, start, end, wanted.identity) for code, start, end in parts if end > start]
        return named or [Missing(code, to_ns, to_ns, wanted.identity) for code, _, _ in parts]


def _first_ns(wanted: _Wanted, tracks: Sequence[HeardTrack], until_ns: int) -> int:
    """When the track's participant is heard first, perhaps in another track, but no later than `until_ns`.

    For a track that was found to be missing, other tracks don't count.
    """
    if wanted.missed_ns is not None:
        return until_ns
    since_ns = wanted.awaited_ns or 0
    own = (one.first_ns for one in tracks if one.identity == wanted.identity and one.last_ns > since_ns)
    return min([until_ns, *own])
