"""What is known of one track that the worker wants, and since when, and why, nothing is heard of it. Pure."""

from dataclasses import dataclass

from store.database.boot_clock import SECOND_NS
from worker.room.missing.heard_track import Missing

GAP_SUBSCRIBING = "gap.subscribing"
GAP_PERMISSION = "gap.permission"
GAP_STALLED = "gap.worker_stalled"
GAP_ENCRYPTED = "gap.encrypted"  # not subscribed, as nobody gave the worker the key
GAP_TRACK_LIMIT = "gap.track_limit"  # not subscribed, as so many are already as may be

STALL_NS = SECOND_NS  # a track is missing when no frame has come for so long; they come every 100 ms
_AT_ONCE_NS = SECOND_NS // 2  # a track that begins to arrive within this is not worth a gap
_SPEAKING_NS = SECOND_NS  # a track that brings nothing for so long after its subscription is not sent anything
_MADE_UP_NS = SECOND_NS  # of a track's last frames, at most so much came without packets


@dataclass(frozen=True, slots=True)
class SubscriptionBan:
    """The right to subscribe was taken from the worker, and given back at `lifted_ns`; None: not yet."""

    from_ns: int
    lifted_ns: int | None = None

    def split(self, from_ns: int, to_ns: int, patience_ns: int) -> tuple[int, int]:
        """The part of [from_ns, to_ns) that the ban has caused; tracks have `patience_ns` after it to come back."""
        end_ns = to_ns if self.lifted_ns is None else self.lifted_ns + patience_ns
        start_ns = min(max(self.from_ns, from_ns), to_ns)
        return start_ns, max(min(end_ns, to_ns), start_ns)


@dataclass(slots=True)
class WantedTrack:
    """Instants are of the boot-time clock, in nanoseconds. `UnheardTracks` changes it as the room goes on."""

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
            return self.told_ns() if self.missed_ns is not None or proven_ns - self.heard_ns > STALL_NS else None
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

    def named(self, from_ns: int, to_ns: int, ban: SubscriptionBan | None, patience_ns: int) -> list[Missing]:
        """What is missing of it in [from_ns, to_ns), each part with its code; `ban`: the room's last one."""
        if self.never_for is not None:
            parts = [(self.never_for, from_ns, to_ns)]
        elif self.ever and not self.banned:
            came_on = self.packets_ns is not None and self.packets_ns - self.heard_ns > STALL_NS
            parts = [(GAP_STALLED if came_on else GAP_PERMISSION, from_ns, to_ns)]
        elif ban is None:
            parts = [(GAP_PERMISSION if self.refused(to_ns, patience_ns) else GAP_SUBSCRIBING, from_ns, to_ns)]
        else:
            start_ns, end_ns = ban.split(from_ns, to_ns, patience_ns)
            parts = [
                (GAP_SUBSCRIBING, from_ns, start_ns),
                (GAP_PERMISSION, start_ns, end_ns),
                (GAP_SUBSCRIBING, end_ns, to_ns),
            ]
        named = [Missing(code, start, end, self.identity) for code, start, end in parts if end > start]
        return named or [Missing(code, to_ns, to_ns, self.identity) for code, _, _ in parts]
