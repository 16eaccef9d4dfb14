"""Which of a room's tracks are recorded."""

from livekit import rtc

from worker.room.subscription import Subscription
from worker.room.track_places import TrackPlaces


class TrackChoice:
    """Decides by what the run wants to hear, and by how many tracks it takes at a time."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._places = TrackPlaces(subscription.most_tracks)

    def records(self, participant: rtc.RemoteParticipant) -> bool:
        """Whether this participant is one of those who are recorded, by tracks or by streams."""
        return self._subscription.only_identity in (None, participant.identity)

    def wants(self, participant: rtc.RemoteParticipant) -> bool:
        """Whether this participant's audio tracks are wanted."""
        return not self._subscription.streams and self.records(participant)

    def takes(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> bool:
        """Whether the track is recorded: it has a place from now on, until `leave`."""
        return self.would_take(publication, participant) and self._places.take(publication.sid)

    def would_take(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> bool:
        """Whether it would be, with places without end."""
        is_audio = publication.kind == rtc.TrackKind.KIND_AUDIO
        return is_audio and self.wants(participant) and not self.is_locked(publication)

    def is_locked(self, publication: rtc.RemoteTrackPublication) -> bool:
        """Whether the worker has no key for its frames: they would decode to noise at full scale (measured)."""
        return self._subscription.shared_key is None and is_encrypted(publication)

    def leave(self, sid: str) -> None:
        """The track is there no more."""
        self._places.leave(sid)


def is_encrypted(publication: rtc.TrackPublication) -> bool:
    """Whether its frames are end-to-end encrypted."""
    return publication.encryption_type != rtc.EncryptionType.NONE
