"""The hole that an outage of the room makes in a recording: what opens it, and what closes it. Pure.

A hole opens when the room is lost, when tracks are lost while the SDK reconnects, or when nothing proves the connection
any more, and it reaches back to the last proof. It closes when the worker is back and anybody is heard. So one outage
is one hole, whichever of these happen in it. A participant who was heard before, and is heard again later than the
first one, lacks more than everybody; that part is named as theirs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS
from worker.room.events import AudioMuted, AudioPublished, AudioUnsubscribed, Reconnected, Reconnecting, RoomEvent
from worker.room.missing.connection_proof import ConnectionProof, ConnectionReading
from worker.room.missing.heard_track import HeardTrack, MadeUp, Missing
from worker.room.missing.late_talkers import LateTalkers

GAP_REJOIN = "gap.rejoin"
GAP_CONCEALED = "gap.concealed"

_BEFORE_NS = SECOND_NS  # tracks that ended so shortly before a reconnect were lost because of it
_SEAM_NS = SECOND_NS // 5  # holes that lie closer together are one outage: nothing is heard between them
_LONGEST_SECONDS = 15  # somebody who is heard later than this was away for another reason
_PIECE_NS = SECOND_NS  # an open hole is handed out in pieces of this length


@dataclass(slots=True)
class RoomHole:
    """Follows one run's rooms; instants are of the boot-time clock, in nanoseconds.

    While a hole is open it is handed out a second at a time, so that no end of the run loses more of it. The pieces of
    one hole touch each other.

    Args:
        unproven_ns: how long nothing may prove the connection.
    """

    unproven_ns: int
    reconnecting: bool = field(init=False, default=False)  # the SDK tries to get back by itself
    _proof: ConnectionProof = field(init=False, default_factory=lambda: ConnectionProof(0))
    _in_room: bool = field(init=False, default=False)
    _since_ns: int | None = field(init=False, default=None)
    _opened_ns: int = field(init=False, default=0)  # when the hole was opened; proofs up to then lie before it
    _told_ns: int = field(init=False, default=0)  # up to here the open hole was handed out
    _back_ns: int | None = field(init=False, default=None)  # since when the worker is back and waits for frames
    _awaited: set[str] = field(init=False, default_factory=set)  # identities that are not heard again yet
    _returned: dict[str, int] = field(init=False, default_factory=dict)  # identity → first frame in the open hole
    _late: LateTalkers = field(init=False)  # after the last hole
    _heard: dict[str, str] = field(init=False, default_factory=dict)  # sid → identity
    _muted: frozenset[str] = field(init=False, default=frozenset())  # sids
    _just_lost: list[tuple[int, str]] = field(init=False, default_factory=list)  # (instant, identity)
    _last: tuple[int, int] | None = field(init=False, default=None)  # [from, to) of the last hole that closed
    _made_up: list[MadeUp] = field(init=False, default_factory=list)  # not judged yet
    _doubted: bool = field(init=False, default=False)  # it was said that an outage may have begun

    def __post_init__(self) -> None:
        self._late = LateTalkers(SECOND_NS, _LONGEST_SECONDS)

    @property
    def proven_ns(self) -> int:
        """The last instant at which the connection is known to have carried something."""
        return self._proof.proven_ns

    @property
    def open(self) -> bool:
        """Whether audio is missing now."""
        return self._since_ns is not None

    @property
    def closed_ns(self) -> int:
        """When the last hole ended: from there on those who are not heard again yet are named one by one. 0: none."""
        return self._last[1] if self._last is not None else 0

    @property
    def hopeless(self) -> bool:
        """Whether the room is to be left and joined again: nothing has proven the connection for too long."""
        return self._in_room and self._proof.doubt_ns > self.unproven_ns

    def entered(self, now_ns: int) -> None:
        """The worker is in a room, for the first time or again."""
        self._proof = ConnectionProof(now_ns)
        self._in_room, self.reconnecting = True, False
        self._heard.clear()
        self._muted = frozenset()
        self._come_back(now_ns)

    def dropped(self, now_ns: int, *, told: bool) -> None:
        """The room is lost; `told`: its server said so, over a connection that was therefore good until now."""
        self._open(now_ns if told and self._proof.fresh else self.proven_ns, self._heard.values(), now_ns)
        self._in_room = self.reconnecting = False

    def read(self, reading: ConnectionReading | None, asked_ns: int) -> None:
        """Take a reading that was asked for at `asked_ns`; None: it was not answered."""
        before_ns = self.proven_ns
        if reading is None:
            self._proof.missed(asked_ns)
        else:
            self._proof.read(reading)
        if max(self._proof.doubt_ns, self.proven_ns - before_ns) > self.unproven_ns:
            self._open(before_ns, (), before_ns)
        is_back = self._in_room and not self.reconnecting and not self.hopeless
        if self.open and before_ns < self.proven_ns <= self._opened_ns and self._told_ns == self._since_ns:
            self._since_ns = self._told_ns = self.proven_ns  # a reading that was late tells when it really began
        elif is_back and self._back_ns is None and self.proven_ns > before_ns:
            self._come_back(self.proven_ns)

    def take(self, event: RoomEvent, now_ns: int) -> None:
        """Take note of what happened in the room."""
        if isinstance(event, AudioMuted | AudioPublished):
            self._muted = self._muted | {event.sid} if event.muted else self._muted - {event.sid}
        match event:
            case AudioPublished(identity=identity, wanted=True, encrypted=False, left_out=False) if self.open:
                self._awaited.add(identity)
            case AudioUnsubscribed(sid=sid) if sid in self._heard:
                identity = self._heard.pop(sid)
                if self.reconnecting:
                    self._open(self.proven_ns, [identity], now_ns)
                else:
                    self._just_lost.append((now_ns, identity))
            case Reconnecting():
                self.reconnecting, self._back_ns = True, None
                lost = [one for one in self._just_lost if now_ns - one[0] < _BEFORE_NS]
                if lost:
                    self._open(lost[0][0], [identity for _, identity in lost], now_ns)
                self._just_lost.clear()
            case Reconnected():
                self.reconnecting = False
                self._come_back(now_ns)

    def made_up(self, one: MadeUp) -> None:
        """Take audio that a jitter buffer has made up: it is `gap.concealed`, unless an outage was the reason."""
        self._made_up.append(one)

    def look(self, now_ns: int, tracks: Sequence[HeardTrack]) -> list[Missing]:
        """Return what is known to be missing by now and was not handed out before."""
        found = self._hear(tracks)
        if self.open and self._back_ns is not None:
            gave_up = now_ns - self._back_ns >= _LONGEST_SECONDS * SECOND_NS
            if self._returned or not self._awaited or gave_up:
                found += self._close(min(self._returned.values(), default=self._back_ns))
        elif self.open and now_ns - max(self._told_ns, self._opened_ns) >= _PIECE_NS:
            found += self._tell(now_ns, lasts=True)
        return found + self._judged() + self._doubt(now_ns, tracks)

    def close(self, now_ns: int, tracks: Sequence[HeardTrack]) -> list[Missing]:
        """Return what is missing up to now, the end of the run."""
        found = self._hear(tracks)
        if self._in_room and not self._proof.fresh and any(one.to_ns > self.proven_ns for one in self._made_up):
            self._open(self.proven_ns, (), now_ns)  # nothing proves the connection, and nothing else came either
        if self.open:
            nobody = self._back_ns is None or (self._awaited and not self._returned)
            found += self._close(now_ns if nobody else min(self._returned.values(), default=self._back_ns or 0))
        return found + self._judged(final=True)

    def _open(self, since_ns: int, lost: Iterable[str], now_ns: int) -> None:
        if not self.open and self._last is not None and since_ns - self._last[1] > _LONGEST_SECONDS * SECOND_NS:
            self._awaited.clear()  # they have left
        self._awaited.update(lost)
        self._back_ns = None
        if self.open:
            return
        if self._last is not None and since_ns - self._last[1] < _SEAM_NS:
            since_ns = self._last[1]
        self._since_ns = self._told_ns = since_ns
        self._opened_ns = now_ns

    def _come_back(self, now_ns: int) -> None:
        if self.open:
            self._back_ns = now_ns
            self._returned.clear()

    def _hear(self, tracks: Sequence[HeardTrack]) -> list[Missing]:
        """Take note of who is heard; returns what those lack who were still awaited when the last hole closed."""
        found: list[Missing] = []
        for track in tracks:
            self._heard[track.sid] = track.identity
            if self._back_ns is not None:
                heard_ns = max(track.first_ns, self._back_ns)
                self._returned[track.identity] = min(heard_ns, self._returned.get(track.identity, heard_ns))
            elif track.identity in self._awaited and not self.open:
                found += self._return(track.identity, track.first_ns)
        return found

    def _return(self, identity: str, first_ns: int) -> list[Missing]:
        self._awaited.discard(identity)
        missing = self._late.first_frame(first_ns)
        return [] if missing is None else [Missing(GAP_REJOIN, *missing, identity)]

    def _tell(self, to_ns: int, *, lasts: bool = False) -> list[Missing]:
        from_ns, self._told_ns = self._told_ns, max(to_ns, self._told_ns)
        return [Missing(GAP_REJOIN, from_ns, to_ns, lasts=lasts)] if to_ns > from_ns else []

    def _close(self, to_ns: int) -> list[Missing]:
        assert self._since_ns is not None
        found = self._tell(to_ns) or [Missing(GAP_REJOIN, self._told_ns, self._told_ns)]
        self._last = (self._since_ns, self._told_ns)
        self._since_ns = self._back_ns = None
        if not self._returned:
            self._awaited.clear()
        self._late = LateTalkers(SECOND_NS, _LONGEST_SECONDS)
        for identity, first_ns in sorted(self._returned.items(), key=lambda one: one[1]):
            found += self._return(identity, first_ns)
        self._returned.clear()
        return found

    def _doubt(self, now_ns: int, tracks: Sequence[HeardTrack]) -> list[Missing]:
        """Since when there may be an outage: only a run that is killed before it knows is held to that."""
        doubted = not self.open and now_ns - self.proven_ns >= _PIECE_NS and any(map(self._is_made_up, tracks))
        if doubted == self._doubted:
            return []
        self._doubted = doubted
        return [] if self.open else [Missing(GAP_REJOIN, self.proven_ns, self.proven_ns, lasts=doubted)]

    def _is_made_up(self, track: HeardTrack) -> bool:
        """Whether its frames come without packets, though somebody may be speaking."""
        if track.packets_ns is None or track.sid in self._muted:
            return False
        return track.last_ns - track.packets_ns >= _PIECE_NS

    def _judged(self, *, final: bool = False) -> list[Missing]:
        """What was made up outside of holes, once it is proven that the connection was good then.

        Only the one participant lacks it; others may be heard.
        """
        found: list[Missing] = []
        waiting: list[MadeUp] = []
        for one in (rest for made_up in self._made_up for rest in self._outside(made_up)):
            if final or one.to_ns <= self.proven_ns:
                found.append(Missing(GAP_CONCEALED, one.from_ns, one.to_ns, one.identity))
            else:
                waiting.append(one)
        self._made_up = waiting
        return found

    def _outside(self, one: MadeUp) -> list[MadeUp]:
        """The parts that lie in no hole; holes are handed out by themselves."""
        rest = [one] if self._last is None else one.outside(*self._last)
        if self._since_ns is None:
            return rest
        return [part for whole in rest for part in whole.outside(self._since_ns, max(self._since_ns, one.to_ns))]
