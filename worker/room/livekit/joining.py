"""Joining a room by LiveKit's SDK. Its errors become codes, because their text may hold the token.

Measured with livekit 1.2.1: on a 401 the text holds the whole JWT, as the server echoes it.
"""

from livekit import rtc
from pydantic import SecretStr

from worker.room.join_answer import join_error
from worker.room.livekit.native_library import load_quietly
from worker.room.livekit.room import LiveKitRoom
from worker.room.subscription import Subscription

_SIGNAL_SECONDS = 5.0  # per attempt; the SDK makes four


async def connect_room(url: str, token: SecretStr, subscription: Subscription) -> LiveKitRoom:
    """Join a room. Must never be canceled: that aborts the process 15 s later (see `worker.joining.joins`).

    Raises:
        JoinError: whose text holds nothing of the server's answer.
    """
    load_quietly()
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
        ours.joined()
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
