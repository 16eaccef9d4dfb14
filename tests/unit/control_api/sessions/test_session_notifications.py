"""The hub of long polls, and the wait itself, in virtual time."""

import asyncio
import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from control_api.sessions.bodies.presenter import present_session
from control_api.sessions.long_poll import GOALS, wait_until
from control_api.sessions.notifications import SessionNotifications
from sessions.billing.usage import Usage
from sessions.ids import format_id, new_uuid
from sessions.lifecycle.lifecycle import Status
from sessions.session import LiveKitTransport, RecordingOptions, Session, TranscriptionOptions

NOW = datetime(2026, 11, 22, 2, 37, 57, 123456, tzinfo=UTC)


def _session(session_id: UUID | None = None, status: Status = Status.QUEUED) -> Session:
    nothing = {field.name: None for field in dataclasses.fields(Session)}
    known = {
        "id": session_id or new_uuid(),
        "organization_id": new_uuid(),
        "kind": "voice",
        "status": status,
        "version": 1,
        "epoch": 0,
        "transport": LiveKitTransport("wss://x.example", "room", "me", "track", None, False),
        "quality": "standard",
        "multiplier": Decimal(1),
        "max_duration_seconds": 3600,
        "idle_timeout_seconds": 30,
        "recording": RecordingOptions("mono", "silence"),
        "transcription": TranscriptionOptions("after", None),
        "metadata": {},
        "tags": (),
        "agent_id": "agent_x",
        "capabilities": [],
        "created_at": NOW,
        "updated_at": NOW,
        "message_count": 0,
        "recording_state": "none",
        "usage": Usage(1999, 200, 2000, NOW),
    }
    return Session(**{**nothing, **known})  # type: ignore[arg-type]


def test_a_session_is_presented_with_printed_ids_times_and_floored_seconds() -> None:
    """Three decimals, Z, floor."""
    session = _session()
    shown = present_session(session, content=True).model_dump(mode="json")
    assert shown["id"] == format_id("sess", session.id)
    assert shown["created_at"] == "2026-11-22T02:37:57.123Z"
    assert shown["usage"]["billable_seconds"] == 1
    assert shown["usage"]["as_of"] == "2026-11-22T02:37:57.123Z"
    assert shown["started_at"] is None


def test_an_error_is_shown_of_failed_sessions_only_and_redacted() -> None:
    """A message may hold what a library said."""
    failed = dataclasses.replace(
        _session(status=Status.FAILED),
        error_code="room.unreachable",
        error_message="401 for eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
    )
    shown = present_session(failed, content=True).error
    assert shown is not None
    assert (shown.code, shown.message) == ("room.unreachable", "401 for [redacted]")
    assert present_session(dataclasses.replace(failed, status=Status.ENDED), content=True).error is None


async def test_a_notification_wakes_its_session_and_a_gap_wakes_all() -> None:
    """Notifications of other sessions, or of none, wake nobody."""
    hub = SessionNotifications()
    one, two = new_uuid(), new_uuid()

    with hub.subscription(one) as first, hub.subscription(two) as second:
        for channel, subject in (("parley_session", one), ("parley_session", None), ("parley_claim", None)):
            hub.heard(channel, subject)
        assert (first.is_set(), second.is_set()) == (True, False)
        hub.heard("reconnected", None)
        assert second.is_set()


@pytest.mark.looptime(start=100)
async def test_a_lost_notification_costs_a_poll_interval_only() -> None:
    """The status is read again without being told."""
    loop = asyncio.get_running_loop()
    queued = _session()

    async def read() -> Session:
        return queued if loop.time() < 105 else dataclasses.replace(queued, status=Status.RUNNING)

    found = await wait_until(read, GOALS["running"], 30, SessionNotifications(), queued)
    assert found.status is Status.RUNNING
    assert 105 <= loop.time() <= 107


@pytest.mark.looptime(start=100)
async def test_a_wait_ends_in_time_or_when_the_process_stops() -> None:
    """With the session as it is."""
    loop = asyncio.get_running_loop()
    queued = _session()
    hub = SessionNotifications()

    async def read() -> Session:
        return queued

    assert await wait_until(read, GOALS["running"], 30, hub, queued) is queued
    assert loop.time() == pytest.approx(130, abs=0.1)
    loop.call_later(3, hub.stop)
    assert await wait_until(read, GOALS["running"], 30, hub, queued) is queued
    assert loop.time() == pytest.approx(133, abs=0.1)
