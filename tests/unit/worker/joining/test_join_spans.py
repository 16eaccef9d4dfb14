"""Which connections are whose, by when they were opened."""

import gc
import math
from dataclasses import dataclass, field
from uuid import UUID

from worker.guard.spans import Span
from worker.joining.join_spans import JoinSpans

ANN, BOB = UUID(int=1), UUID(int=2)


@dataclass(eq=False)
class Room:
    """A room, as far as its spans are concerned."""

    left: bool = False
    reconnects: list[Span] = field(default_factory=list)


def test_a_join_on_its_own_has_all_that_leads_to_its_server() -> None:
    """Others lead elsewhere, have failed, are given up, or have left."""
    spans = JoinSpans()
    spans.begin("b:443", BOB, now=0)
    spans.fail(spans.begin("a:443", BOB, now=1))
    spans.begin("a:443", BOB, now=1).wanted = False
    room = Room()
    spans.land(spans.begin("a:443", BOB, now=1), room, now=2)
    mine = spans.begin("a:443", ANN, now=3)
    assert not spans.alone(mine)
    room.left = True
    assert spans.alone(mine)
    assert spans.targets == {"a:443", "b:443"}


def test_a_room_that_nobody_has_any_more_wants_no_server() -> None:
    """Nor does the book keep it."""
    spans = JoinSpans()
    spans.land(spans.begin("a:443", BOB, now=0), Room(), now=1)
    gc.collect()
    assert spans.targets == frozenset()
    assert spans.alone(spans.begin("a:443", ANN, now=2))


def test_what_may_be_anothers_is_not_surely_its_own() -> None:
    """A room's from before, one that joins meanwhile, one that reconnects, and what begins later."""
    spans = JoinSpans()
    old, young = Room(), Room()
    spans.land(spans.begin("a:443", BOB, now=0), old, now=5)
    mine = spans.begin("a:443", ANN, now=10)
    other = spans.begin("a:443", BOB, now=20)
    spans.land(other, young, now=21)
    old.reconnects.append((30, math.inf))
    sure = spans.surely_of(mine, now=40)
    assert [sure.hold(at) for at in (3, 9.9, 10, 19.9, 20, 20.5, 21, 21.1, 29.9, 30, 39)] == [
        *(False, False, True, True, False, False, False, True, True, False, False)
    ]
    old.reconnects[0] = (30, 32)
    assert spans.surely_of(mine, now=40).hold(39)
    assert not spans.surely_of(mine, now=40).hold(41)


def test_a_connections_session_is_told_where_only_one_can_have_opened_it() -> None:
    """Of two joins at the same time neither is blamed."""
    spans = JoinSpans()
    ann, bob = Room(), Room()
    spans.land(spans.begin("a:443", ANN, now=0), ann, now=2)
    spans.land(spans.begin("a:443", BOB, now=1), bob, now=3)
    bob.reconnects.append((8, 9))
    told = [spans.session_of("a:443", at) for at in (0.5, 1.5, 2.5, 5, 8.5)]
    assert told == [ANN, None, BOB, None, BOB]
    assert spans.session_of("b:443", 0.5) is None
