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
from worker.room.missing.wanted_track import (
    GAP_ENCRYPTED,
    GAP_TRACK_LIMIT,
    STALL_NS,
    SubscriptionBan,
    WantedTrack,
)

_SUBSCRIBING_NS = 4 * SECOND_NS  # a subscription takes up to 2.7 s where messages are quick (measured) …
_JOINS = 3  # … and where they are slow, no longer than so many joins
_LINGERING_NS = 3 * SECOND_NS  # a forbidden track's frames are made up for less; what comes for longer is true
_PIECE_NS = SECOND_NS  # what is missing is handed out in pieces of this length


@dataclass(slots=True)
class UnheardTracks:
    """Follows the tracks of one room after the other; instants are of the boot-time clock, in nanoseconds."""

    _wanted: dict[str, WantedTrack] = field(default_factory=dict)
    _ended: list[Missing] = field(default_factory=list)  # not handed out yet
    _ban: SubscriptionBan | None = None  # the last one
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
                self._wanted.setdefault(sid, WantedTrack(identity, now_ns, never_for, awaited_ns, named_elsewhere))
            case AudioSubscribed(track=track) if track.sid in self._wanted:
                self._wanted[track.sid].subscribed_ns = now_ns
            case AudioMuted(sid=sid, muted=muted) if sid in self._wanted:
                self._mute(self._wanted[sid], muted, now_ns)
            case AudioUnpublished(sid=sid):
                self._end(self._wanted.pop(sid, None), now_ns)
            case ListeningAllowed(allowed=False):
                self._forbid(now_ns)
            case ListeningAllowed(allowed=True) if self._ban is not None:
                self._ban = SubscriptionBan(self._ban.from_ns, self._ban.lifted_ns or now_ns)

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
        self._ban = SubscriptionBan(now_ns)

    def _mute(self, wanted: WantedTrack, muted: bool, now_ns: int) -> None:
        if not muted:
            wanted.awaited_ns = now_ns if wanted.awaited_ns is None else wanted.awaited_ns
            return
        if wanted.missed_ns is not None:
            self._ended += self._unarrived(wanted, now_ns)
        wanted.awaited_ns = None
        if not wanted.ever and wanted.never_for is None:
            wanted.missed_ns = None

    def _end(self, wanted: WantedTrack | None, now_ns: int) -> None:
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

    def _heard(self, wanted: WantedTrack, track: HeardTrack) -> list[Missing]:
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
            if from_ns is None and is_new and back_ns - wanted.heard_ns > STALL_NS:
                from_ns = wanted.true_ns()
            found = [] if from_ns is None else self._named(wanted, from_ns, max(back_ns, from_ns))
        wanted.heard_ns, wanted.packets_ns = track.last_ns, track.packets_ns
        wanted.ever, wanted.missed_ns, wanted.banned = True, None, False
        return found

    def _unarrived(self, wanted: WantedTrack, until_ns: int, *, final: bool = False) -> list[Missing]:
        part = wanted.unarrived(until_ns, self._named_ns, self._patience_ns, final=final)
        return [] if part is None else self._named(wanted, *part)

    def _named(self, wanted: WantedTrack, from_ns: int, to_ns: int) -> list[Missing]:
        return wanted.named(from_ns, to_ns, self._ban, self._patience_ns)


def _first_ns(wanted: WantedTrack, tracks: Sequence[HeardTrack], until_ns: int) -> int:
    """When the track's participant is heard first, perhaps in another track, but no later than `until_ns`.

    For a track that was found to be missing, other tracks don't count.
    """
    if wanted.missed_ns is not None:
        return until_ns
    since_ns = wanted.awaited_ns or 0
    own = (one.first_ns for one in tracks if one.identity == wanted.identity and one.last_ns > since_ns)
    return min([until_ns, *own])
