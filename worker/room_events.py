"""What happens in a room, as values: everything that the rest of the worker knows of LiveKit."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class RemoteTrack:
    """An audio track of a remote participant."""

    sid: str
    identity: str
    name: str


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """A remote participant is in the room (those already there at our join included)."""

    identity: str


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A remote participant is gone."""

    identity: str


@dataclass(frozen=True, slots=True)
class AudioPublished:
    """A remote participant has an audio track, muted or not, recorded or not."""

    sid: str
    identity: str


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
class Reconnecting:
    """The SDK has lost the room and tries by itself."""


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The SDK is back in the room."""


@dataclass(frozen=True, slots=True)
class TokenRefreshed:
    """The LiveKit server has given us a token that lives longer."""

    token: SecretStr


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
    | Reconnecting
    | Reconnected
    | TokenRefreshed
    | Disconnected
)
