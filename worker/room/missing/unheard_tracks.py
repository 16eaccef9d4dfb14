"""Tracks that the worker wants and does not get, though its connection is good: they do not come, or may not be heard.
Pure.

A track that is subscribed delivers frames all the time, also while it is muted or nothing is sent. Whether a refusal is
the reason that they do not come is known from (measured with livekit 1.2.1 and livekit-server 1.13.5):

- the right to subscribe (`canSubscribe`): the SDK says when it is taken from the worker and given back;
- a track that was heard: when its publisher refuses it to the worker, the server takes it out of the connection, and
  its frames just end. No event says so. The last 0.5 to 0.7 s of them are made up;
- a track that does not come at all, for 4 s and for longer than three joins of that server take. Of a track that its
  publisher refuses from the beginning the server tells the worker (a message `SubscriptionPermissionUpdate`), but the
  SDK drops what it says.

A subscription takes messages to and fro, fewer than a join. What is said until then is lost: 0.9 s from the
publication's announcement on with messages that take 0.15 s each way, 1.9 s with 0.4 (measured). Frames begin with the
first packet.
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
from worker.room.missing.heard_track import HeardTrack, MadeUp, Missing

GAP_SUBSCRIBING = "gap.subscribing"
GAP_PERMISSION = "gap.permission"
GAP_STALLED = "gap.worker_stalled"
GAP_ENCRYPTED = "gap.encrypted"  # not subscribed, as nobody gave the worker the key
GAP_TRACK_LIMIT = "gap.track_limit"  # not subscribed, as so many are already as may be

_STALL_NS = SECOND_NS  # frames come every 100 ms
_SUBSCRIBING_NS = 4 * SECOND_NS  # a subscription takes up to 2.7 s where messages do not take long (measured)
_JOINS = 3  # and no longer than so many joins where they do
_AT_ONCE_NS = SECOND_NS // 2  # what begins to arrive within it is not worth a gap
_SPEAKING_NS = SECOND_NS  # a track of which nothing comes for so long after its subscription sends nothing
_LINGERING_NS = 3 * SECOND_NS  # frames that come for longer than this are true ones
_PIECE_NS = SECOND_NS
_MADE_UP_NS = SECOND_NS  # the most of the last frames that came without packets, unless nothing is sent


@dataclass(frozen=True, slots=True)
class _Ban:
    """The right to subscribe was taken from the worker, and given back, if it was."""

    from_ns: int
    lifted_ns: int | None = None

    def split(self, from_ns: int, to_ns: int, patience_ns: int) -> tuple[int, int]:
        """The part of [from_ns, to_ns) that the ban has caused: tracks need as long to come back as to come."""
        end_ns = to_ns if self.lifted_ns is None else self.lifted_ns + patience_ns
        start_ns = min(max(self.from_ns, from_ns), to_ns)
        return start_ns, max(min(end_ns, to_ns), start_ns)


@dataclass(slots=True)
class _Wanted:
    identity: str
    heard_ns: int  # at first, when it was published
    never_for: str | None = None  # the code of why it is not even asked for
    awaited_ns: int | None = None  # since when it may say something that was not heard yet; None: it is muted
    named_elsewhere: bool = False  # what is missing of it at first
    subscribed_ns: int | None = None
    ever: bool = False
    banned: bool = False  # it was heard until the right to subscribe was taken from the worker
    missed_ns: int | None = None  # handed out up to here
    packets_ns: int | None = None

    def told_ns(self) -> int:
        """Until when it is known whether it was missing, of a track that was heard, or that is not asked for."""
        return self.true_ns() if self.missed_ns is None else self.missed_ns

    def true_ns(self) -> int:
        """Until when its frames held what was sent."""
        if self.packets_ns is None:
            return self.heard_ns
        return min(max(self.packets_ns, self.heard_ns - _MADE_UP_NS), self.heard_ns)

    def missing_since(self, proven_ns: int, named_ns: int, patience_ns: int) -> int | None:
        """Since when it is missing, given that it is not there at `proven_ns`; None: one can't say so yet."""
        if self.never_for is not None:
            return self.told_ns()
        if self.ever:
            return self.told_ns() if self.missed_ns is not None or proven_ns - self.heard_ns > _STALL_NS else None
        if self.missed_ns is not None or self.awaited_ns is None or self.subscribed_ns is not None:
            return self.missed_ns if self.subscribed_ns is None else None
        return max(self.awaited_ns, named_ns) if proven_ns - self.awaited_ns > patience_ns else None

    def refused(self, until_ns: int, patience_ns: int) -> bool:
        """Whether it has not come for so long, until then, that its publisher must have refused it."""
        return self.missed_ns is not None or (self.awaited_ns is not None and until_ns - self.awaited_ns > patience_ns)

    def unarrived(self, until_ns: int, named_ns: int, patience_ns: int, *, final: bool) -> tuple[int, int] | None:
        """What was not subscribed to in time, given that nothing has come before `until_ns`, or ever will (`final`)."""
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

        What a takeover costs those who are there already is named by who takes over.

        Args:
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
        """What of it was made up while the worker might subscribe; else that is the reason, and `look` names it."""
        if self._ban is None:
            return [made_up]
        lingered_ns = self._ban.from_ns + _LINGERING_NS
        return made_up.outside(self._ban.from_ns, min(lingered_ns, self._ban.lifted_ns or lingered_ns))

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
                    found += self._unarrived(wanted, _first_ns(wanted, tracks, track.first_ns))
                found += self._heard(wanted, track)
        for wanted in self._wanted.values():
            since_ns = wanted.missing_since(proven_ns, named_ns, self._patience_ns)
            if since_ns is not None and proven_ns - since_ns >= _PIECE_NS:
                found += self._named(wanted, since_ns, proven_ns)
                wanted.missed_ns = proven_ns
        return found

    def close(self, now_ns: int, tracks: Sequence[HeardTrack], named_ns: int = 0) -> list[Missing]:
        """What is missing at the end of the run, which is now, while the connection was good."""
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
        """A track is there no more; what was missing of it until now stays missing."""
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
        """Frames have come. A process that stood still gets them late; a new subscription tells that from a stall."""
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
            found = [] if from_ns is None else self._named(wanted, from_ns, back_ns)
        wanted.heard_ns, wanted.packets_ns = track.last_ns, track.packets_ns
        wanted.ever, wanted.missed_ns, wanted.banned = True, None, False
        return found

    def _unarrived(self, wanted: _Wanted, until_ns: int, *, final: bool = False) -> list[Missing]:
        part = wanted.unarrived(until_ns, self._named_ns, self._patience_ns, final=final)
        return [] if part is None else self._named(wanted, *part)

    def _named(self, wanted: _Wanted, from_ns: int, to_ns: int) -> list[Missing]:
        """What is missing of it in [from_ns, to_ns), by code."""
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
        return [Missing(code, start, end, wanted.identity) for code, start, end in parts if end > start]


def _first_ns(wanted: _Wanted, tracks: Sequence[HeardTrack], until_ns: int) -> int:
    """When its participant is heard first, in another track perhaps, but no later than `until_ns`.

    Of a track that is missed already, only its own frames count.
    """
    if wanted.missed_ns is not None:
        return until_ns
    since_ns = wanted.awaited_ns or 0
    own = (one.first_ns for one in tracks if one.identity == wanted.identity and one.last_ns > since_ns)
    return min([until_ns, *own])
