"""Readings of the room that a run is in: about three times a second, and at once when something has changed."""

import asyncio
from collections.abc import Callable

from store.database.boot_clock import boottime_ns
from store.set_within import set_within
from worker.room.livekit.room import LiveKitRoom
from worker.room.room_reading import RoomReading

_SECONDS = 0.35  # so that what is made up between two lies within 0.2 s of a gap that is hardly longer


class RoomReadings:
    """Takes them for as long as the run is in a room.

    Args:
        taken: gets each reading, None if no answer came, and when it was asked for (boot-time clock, nanoseconds).
    """

    def __init__(self, taken: Callable[[RoomReading | None, int], None]) -> None:
        self._taken = taken
        self._hurry = asyncio.Event()
        self._pause_seconds = _SECONDS

    def hurry(self, seconds: float = 0.0) -> None:
        """Take one within so many seconds."""
        if seconds:
            self._pause_seconds = min(seconds, self._pause_seconds)
        else:
            self._hurry.set()

    async def follow(self, room: LiveKitRoom, in_room: Callable[[], bool]) -> None:
        """Read `room` until `in_room` says that the run is not in it any more."""
        while in_room():
            self._hurry.clear()
            self._pause_seconds = _SECONDS
            await self.take(room, in_room)
            await set_within(self._hurry, self._pause_seconds)

    async def take(self, room: LiveKitRoom, in_room: Callable[[], bool]) -> None:
        """Take one reading."""
        asked_ns = boottime_ns()
        reading = await room.read()
        if in_room():
            self._taken(reading, asked_ns)
