"""What happens in a room, as values: everything that the rest of the worker knows of LiveKit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import SecretStr

from store.runs.participant_events import Participant

CHAT = "lk.chat"
TRANSCRIPTION = "lk.transcription"


@dataclass(frozen=True, slots=True)
class RemoteTrack:
    """An audio track of a remote participant.

    Attributes:
        name: the track's own.
        speaker: the participant's name to show, if there is one.
        encrypted: end to end, and the worker has a key.
        at_join: it was there when the worker joined the room.
    """

    sid: str
    identity: str
    name: str
    speaker: str = ""
    encrypted: bool = False
    at_join: bool = False


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """A remote participant is in the room (those already there at our join included)."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A remote participant is gone."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class AudioPublished:
    """A remote participant has an audio track, muted or not.

    Attributes:
        wanted: the worker records this participant.
        encrypted: end to end, and the worker has no key, so that its frames are not asked for.
        left_out: nor are they, as so many tracks are recorded already as may be.
        at_join: it was there when the worker joined the room.
        muted: nothing is said in it yet.
    """

    sid: str
    identity: str
    wanted: bool = True
    encrypted: bool = False
    left_out: bool = False
    at_join: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class AudioUnpublished:
    """A remote participant has taken an audio track back."""

    sid: str


@dataclass(frozen=True, slots=True)
class AudioSubscribed:
    """Frames of a track can be read now."""

    track: RemoteTrack


@dataclass(frozen=True, slots=True)
class AudioUnsubscribed:
    """A track's frames have ended."""

    sid: str


@dataclass(frozen=True, slots=True)
class AudioDeciphered:
    """The worker's key has opened a frame of a participant's encrypted tracks."""

    identity: str


@dataclass(frozen=True, slots=True)
class AudioMuted:
    """A participant has muted a track, or is about to be heard again."""

    sid: str
    muted: bool


@dataclass(frozen=True, slots=True)
class ListeningAllowed:
    """The worker was given the right to subscribe to tracks (`canSubscribe`), or it was taken from it."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The SDK has lost the room and tries to get back by itself."""


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The SDK is back in the room."""


@dataclass(frozen=True, slots=True)
class TokenRefreshed:
    """The LiveKit server has sent a token that lives longer."""

    token: SecretStr


@dataclass(frozen=True, slots=True)
class HeardText:
    """A text stream that was read to its end.

    Attributes:
        external_id: the id of the transcription's segment, else of the stream.
        final: False for the interim state of a transcription.
    """

    text: str
    external_id: str
    final: bool


@dataclass(frozen=True, slots=True)
class TextOpened:
    """A participant has begun a text stream, to be read or closed.

    `read` waits for its end, and returns None if that never came.
    """

    topic: str
    identity: str
    speaker: str | None
    is_agent: bool
    read: Callable[[], Awaitable[HeardText | None]]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The room is lost for good; `reason` is the name of LiveKit's DisconnectReason, or EVENT_OVERFLOW."""

    reason: str


RoomEvent = (
    ParticipantJoined
    | ParticipantLeft
    | AudioPublished
    | AudioUnpublished
    | AudioSubscribed
    | AudioUnsubscribed
    | AudioDeciphered
    | AudioMuted
    | ListeningAllowed
    | Reconnecting
    | Reconnected
    | TokenRefreshed
    | TextOpened
    | Disconnected
)
