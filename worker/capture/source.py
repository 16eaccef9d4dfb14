"""What a run records from: the room's tracks, byte streams of PCM, or the sine that stands in for both."""

from typing import Protocol

from worker.room.livekit.room import LiveKitRoom


class Source(Protocol):
    """One source of a run's audio, for as long as the run records.

    `entered` and `dropped` take turns, `leave` comes before a room is left on purpose, `end` comes once and last. A
    source implements the verbs that it needs; the others do nothing.
    """

    async def run(self) -> None:
        """The source's own loop, until canceled."""
        return

    def entered(self, room: LiveKitRoom) -> None:
        """The worker is in `room`, for the first time or again."""
        return

    def follow(self, room: LiveKitRoom, now_ns: int, *, somebody_came: bool) -> None:
        """Begin or end the source if it is time for that; called often while the worker is in `room`."""
        return

    @property
    def busy(self) -> bool:
        """Whether somebody is heard through it, so that the room is not idle."""
        return False

    def dropped(self) -> None:
        """The room is lost, and may be entered again."""
        return

    async def leave(self, now_ns: int) -> None:
        """The room is about to be left: tell those in it what they wait for; bounded."""
        return

    def end(self, stopped_ns: int) -> None:
        """The run stopped at `stopped_ns`, and what was on its way then has come since: write what is held back."""
        return
