"""A feed wakes those who ask for what came, and lets the others know how far nothing was for them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from control_api.events.organization_query import AskedEvents
from control_api.events.streams.event_feed import EventFeed, EventFeeds, Follower
from control_api.events.streams.framed_event import Events, FramedEvent
from control_api.http.serving.work_slices import WorkSlices
from store.database.notify.channels import EVENT_CHANNEL
from store.events.cursor import BEGINNING, Cursor
from store.events.event import Event
from store.events.organization_events import EventPage, OrganizationEvents

MINE, OTHER = UUID(int=1), UUID(int=2)


def event(position: int, session_id: UUID) -> Event:
    """One of a session."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(UUID(int=9), position, UUID(int=position), session_id, "a", position, "session.updated", now, {}, None)


def follower(session_id: UUID | None, types: frozenset[str] | None = None) -> Follower:
    """One that follows a session, or everything."""
    return Follower(asyncio.Event(), AskedEvents(types, session_id, None))


def passed(feed: EventFeed, one: Follower) -> Cursor:
    """Where it is."""
    feed.pass_on(one)
    return one.place


async def test_only_those_who_ask_for_it_are_woken() -> None:
    """By session and by type; who asks for everything hears of everything."""
    feed = EventFeed(BEGINNING, WorkSlices())
    mine, other, all_, rare = (
        follower(MINE),
        follower(OTHER),
        follower(None),
        follower(None, frozenset({"session.ended"})),
    )
    with feed.followed(mine), feed.followed(other), feed.followed(all_), feed.followed(rare):
        one = event(1, MINE)
        await feed.take((one,), one.cursor)
        assert [one.woken.is_set() for one in (mine, other, all_, rare)] == [True, False, True, False]
        assert not feed.idle
    assert feed.idle


async def test_who_was_not_woken_moves_on_without_looking() -> None:
    """Behind more than the feed keeps, and up to right before the first event that is for it."""
    feed, mine = EventFeed(BEGINNING, WorkSlices()), follower(MINE)
    with feed.followed(mine):
        for position in range(1, 401):
            one = event(position, OTHER)
            await feed.take((one,), one.cursor)
        assert passed(feed, mine) == Cursor.at(400, UUID(int=400))
        for position in (401, 402, 403):
            one = event(position, MINE if position == 402 else OTHER)
            await feed.take((one,), one.cursor)
        place = passed(feed, mine)
        assert place == Cursor.at(401, UUID(int=401))
        assert feed.has(place)
        assert [framed.event.position for framed in feed.behind(place)] == [402, 403]


async def test_nobody_passes_what_is_just_being_told() -> None:
    """Of many followers each is told in its turn: until all are, nobody takes the newest events for nothing."""
    feed = EventFeed(BEGINNING, WorkSlices())
    crowd = [follower(None) for _ in range(200)]
    for one in crowd:
        feed._followers.setdefault(None, set()).add(one)
    newest = event(1, MINE)
    telling = asyncio.create_task(feed.take((newest,), newest.cursor))
    await asyncio.sleep(0)
    late = [one for one in crowd if not one.woken.is_set()]
    assert 0 < len(late) < len(crowd)
    assert {passed(feed, one) for one in crowd} == {BEGINNING}
    await telling
    assert all(one.woken.is_set() for one in crowd)
    assert {passed(feed, one) for one in crowd} == {BEGINNING}


async def test_who_waits_is_given_the_bytes_without_being_woken() -> None:
    """Once, and only what it asks for; who can take nothing now is woken, and goes on from where it was."""
    feed, given = EventFeed(BEGINNING, WorkSlices()), list[bytes]()
    waits, full = follower(None, frozenset({"session.updated"})), follower(None)

    def take(events: Events) -> bool:
        given.append(events.piece(waits.asked, content=False, chunked=True))
        return True

    waits.push, full.push = take, lambda events: False
    with feed.followed(waits), feed.followed(full):
        two = tuple(
            replace(event(number, MINE), type=type_)
            for number, type_ in ((1, "session.updated"), (2, "session.archived"))
        )
        await feed.take(two, two[1].cursor)
        assert (waits.place, waits.woken.is_set(), full.place, full.woken.is_set()) == (
            two[1].cursor,
            False,
            BEGINNING,
            True,
        )
        waits.place = Cursor.at(3, UUID(int=3))
        three = event(3, MINE)
        await feed.take((three,), three.cursor)
    [chunk] = given
    size, _, data = chunk.partition(b"\r\n")
    assert data == FramedEvent(two[0]).frame(content=False) + b"\r\n"
    assert int(size, 16) == len(data) - 2
    assert waits.woken.is_set()  # it has read the third itself, and has to look whether there is more


class OneEventEach(OrganizationEvents):
    """Logs with one event."""

    def __init__(self) -> None:
        """Nothing is asked."""

    async def newest_cursor(self, organization_id: UUID) -> Cursor:
        """As if it were empty."""
        return BEGINNING

    async def after(self, organization_id: UUID, cursor: Cursor | None, **asked: Any) -> EventPage:
        """That event."""
        one = event(1, MINE)
        return EventPage((one,) if cursor == BEGINNING else (), one.cursor, has_more=False)


async def test_nobody_waits_for_an_organization_with_a_crowd() -> None:
    """Its streams are told a few at a time, and those of others meanwhile."""
    feeds, crowd, alone = EventFeeds(OneEventEach()), [follower(None) for _ in range(2000)], follower(None)
    async with AsyncExitStack() as stack:
        for one in crowd:
            await stack.enter_async_context(feeds.following(UUID(int=10), one))
        await stack.enter_async_context(feeds.following(UUID(int=11), alone))
        running = asyncio.create_task(feeds.run())
        feeds.heard(EVENT_CHANNEL, UUID(int=10))
        while not any(one.woken.is_set() for one in crowd):  # noqa: ASYNC110
            await asyncio.sleep(0)
        feeds.heard(EVENT_CHANNEL, UUID(int=11))
        await alone.woken.wait()
        told = sum(one.woken.is_set() for one in crowd)
        running.cancel()
    assert 0 < told < len(crowd) / 2
