"""Participants of the SDK as values, and what they have published."""

from collections.abc import Iterator

from livekit import rtc

from sessions.texts.kept_text import kept_text
from sessions.texts.text_bounds import SHORT_CHARACTERS
from store.runs.participant_events import Participant


def as_value(participant: rtc.RemoteParticipant) -> Participant:
    """Its texts are cut to what LiveKit allows by default, as a server may be anybody's."""
    try:
        kind = rtc.ParticipantKind.Name(participant.kind).removeprefix("PARTICIPANT_KIND_").lower()
    except ValueError:
        kind = f"kind_{participant.kind}"
    sid, identity, name = (
        kept_text(text[:SHORT_CHARACTERS]) for text in (participant.sid, participant.identity, participant.name)
    )
    return Participant(sid, identity, name, kind)


def publications_of(participant: rtc.RemoteParticipant) -> list[rtc.RemoteTrackPublication]:
    """What it publishes now; stays as it is when the SDK goes on."""
    return list(participant.track_publications.values())


def publications_in(room: rtc.Room) -> Iterator[tuple[rtc.RemoteTrackPublication, rtc.RemoteParticipant]]:
    """What everybody else in the room publishes now, and who does."""
    for participant in list(room.remote_participants.values()):
        for publication in publications_of(participant):
            yield publication, participant
