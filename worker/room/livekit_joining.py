"""Joining a room by LiveKit's SDK. Its errors become codes, because their text may hold the token.

Measured with livekit 1.2.1: on a 401 the text holds the whole JWT, as the server echoes it.
"""

import re

from livekit import rtc
from pydantic import SecretStr

from sessions.errors import ParleyError
from worker.room.livekit_room import LiveKitRoom
from worker.room.subscription import Subscription

_SIGNAL_SECONDS = 5.0  # per attempt; the SDK makes four
_STATUS = re.compile(r"signal failure: (?:client|server) error: (\d{3})\b")


class JoinError(ParleyError):
    """A join that failed: `worker_token.rejected`, `room.unreachable`, `room.join_timeout` or `room.join_failure`.

    `final`: the server refused the join for a reason that another attempt does not change.
    """

    def __init__(self, code: str, message: str, *, final: bool = False) -> None:
        super().__init__(code, message)
        self.final = final


async def connect_room(url: str, token: SecretStr, subscription: Subscription) -> LiveKitRoom:
    """Join a room. Must never be canceled: that aborts the process 15 s later (see `worker.joining.joins`).

    Raises:
        JoinError: whose text holds nothing of the server's answer.
    """
    room = rtc.Room()
    ours = LiveKitRoom(room, subscription)
    options = rtc.RoomOptions(
        auto_subscribe=subscription.with_join,
        connect_timeout=_SIGNAL_SECONDS,
        encryption=_encryption(subscription.shared_key),
    )
    try:
        await room.connect(url, token.get_secret_value(), options)
    except rtc.ConnectError as error:
        failure = join_error(error.message)
    else:
        return ours
    raise failure  # raised outside the handler: its context would hold the token


def _encryption(shared_key: SecretStr | None) -> rtc.E2EEOptions | None:
    """End-to-end encryption as livekit-client's ExternalE2EEKeyProvider does it for a key that is a text.

    AES-GCM under a key derived by PBKDF2 (salt `LKFrameEncryptionKey`). A failed frame is dropped, however many fail.
    The SDK's own default also derives 16 more keys for each of them (`ratchet_window_size`): a talker with another key
    then costs 0.9 of a core instead of 0.07, and is still not heard 9 s after taking the right one (measured).
    """
    if shared_key is None:
        return None
    key = shared_key.get_secret_value().encode()
    return rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=key, ratchet_window_size=0))


def join_error(text: str) -> JoinError:
    """The code for what the SDK said about a failed join; nothing of its text is kept."""
    if match := _STATUS.search(text):
        if match[1] in ("401", "403"):
            return JoinError("worker_token.rejected", "the LiveKit server refused the worker token", final=True)
        final = match[1][0] == "4" and match[1] not in ("408", "425", "429")
        return JoinError("room.join_failure", f"the LiveKit server answered {match[1]}", final=final)
    if "transport connection error" in text or "IO error" in text:
        return JoinError("room.unreachable", "nobody answered at the room's URL")
    if "timed out" in text or "timeout" in text:
        return JoinError("room.join_timeout", "the join was not done in time")
    return JoinError("room.join_failure", "the LiveKit server did not let the worker join")
