"""Text streams by LiveKit's SDK: those of the room become events, the worker's own are sent."""

import asyncio
from collections.abc import Callable

import structlog
from livekit import rtc

from sessions.errors import ParleyError
from sessions.texts.kept_text import kept_id, kept_text
from sessions.texts.text_bounds import LONG_CHARACTERS
from worker.room.events import CHAT, TRANSCRIPTION, HeardText, TextOpened

_log = structlog.get_logger(__name__)

_SEND_SECONDS = 5.0
_TEXT_SECONDS = 300.0  # an agent's segment is open for as long as it speaks


class SendError(ParleyError):
    """A text that did not get into the room."""

    def __init__(self) -> None:
        super().__init__("room.unreachable", "the message did not get into the room")


class LiveKitTexts:
    """Chat and transcriptions of one room; to be made before the join. What is opened after `close` is not read."""

    def __init__(self, room: rtc.Room, put: Callable[[TextOpened], None]) -> None:
        self._room = room
        self._put = put
        self._closed = False
        for topic in (CHAT, TRANSCRIPTION):
            room.register_text_stream_handler(topic, self._on_text)

    def close(self) -> None:
        """Listen no more."""
        self._closed = True

    async def send(self, topic: str, text: str, *, stream_id: str) -> None:
        """Send a text stream to everybody in the room.

        Raises:
            SendError: it was not sent, or that is not known.
        """
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                ourselves = self._room.local_participant
                writer = await ourselves.stream_text(
                    topic=topic,
                    stream_id=stream_id,
                    total_size=len(text.encode()),
                    sender_identity=ourselves.identity,  # the server leaves it out when the worker is hidden
                )
                await writer.write(text)
                await writer.aclose()
        except Exception as error:  # the SDK raises nothing narrower
            _log.info("text.not_sent", error=type(error).__name__)  # its text may hold the message
            raise SendError from None

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if self._closed:
            reader.close()
            return
        participant = self._room.remote_participants.get(identity)
        is_agent = participant is not None and participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        speaker = None if participant is None else kept_text(participant.name) or None
        self._put(
            TextOpened(
                topic=reader.info.topic,
                identity=kept_text(identity),
                speaker=speaker,
                is_agent=is_agent,
                read=lambda: _read_text(reader),
                close=reader.close,
            )
        )


async def _read_text(reader: rtc.TextStreamReader) -> HeardText | None:
    """The whole text; None if it broke off, took too long, or is too long to be kept."""
    parts: list[str] = []
    try:
        async with asyncio.timeout(_TEXT_SECONDS):
            async for part in reader:
                parts.append(part)
                if sum(map(len, parts)) > LONG_CHARACTERS:
                    return None
    except (TimeoutError, ConnectionError):
        return None
    finally:
        reader.close()
    attributes = reader.info.attributes or {}
    return HeardText(
        text=kept_text("".join(parts)),
        external_id=kept_id(attributes.get("lk.segment_id") or reader.info.stream_id),
        final=attributes.get("lk.transcription_final", "true") == "true",
    )
