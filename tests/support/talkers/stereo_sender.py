"""A participant whose track is sent in stereo, as browsers send it.

The SDK's own publishers never are: they announce no TF_STEREO, so the server has their encoder make a mean of both
channels before anything is sent (livekit 1.2.1, livekit-server 1.13.5). A relay of the signaling adds the feature.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from aiohttp import ClientSession, WSMsgType, web
from livekit import rtc
from livekit.protocol.models import AudioTrackFeature
from livekit.protocol.rtc import SignalRequest

from tests.support.network.loopback import http_server

SAMPLE_RATE = 48_000
BLOCK_SAMPLES = SAMPLE_RATE // 10


@asynccontextmanager
async def stereo_sender(url: str, token: str, stereo: np.ndarray) -> AsyncIterator[None]:
    """Join, publish int16 of shape (n, 2) and repeat it in real time; leave at the end of the block."""
    async with http_server(_relay(url)) as relay_url:
        room = rtc.Room()
        await room.connect(relay_url.replace("http://", "ws://"), token, rtc.RoomOptions(auto_subscribe=False))
        source = rtc.AudioSource(SAMPLE_RATE, 2, queue_size_ms=1000)
        track = rtc.LocalAudioTrack.create_audio_track("stereo", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await room.local_participant.publish_track(track, options)
        sending = asyncio.create_task(_send(source, stereo))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.wait({sending})
            await room.disconnect()
            await source.aclose()


async def _send(source: rtc.AudioSource, stereo: np.ndarray) -> None:
    while True:
        for at in range(0, len(stereo), BLOCK_SAMPLES):
            block = stereo[at : at + BLOCK_SAMPLES]
            await source.capture_frame(rtc.AudioFrame(block.tobytes(), SAMPLE_RATE, 2, len(block)))


def _relay(url: str) -> web.Application:
    """Passes a LiveKit server's signaling on."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        here = web.WebSocketResponse(max_msg_size=0)
        headers = {"Authorization": request.headers["Authorization"]}
        async with (
            ClientSession() as client,
            client.ws_connect(url + request.path_qs, headers=headers, max_msg_size=0) as there,
        ):
            await here.prepare(request)

            async def answers() -> None:
                async for message in there:
                    if message.type == WSMsgType.BINARY:
                        await here.send_bytes(message.data)
                await here.close()

            async with asyncio.TaskGroup() as group:
                group.create_task(answers())
                async for message in here:
                    if message.type == WSMsgType.BINARY:
                        await there.send_bytes(_in_stereo(message.data))
                await there.close()
        return here

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    return app


def _in_stereo(data: bytes) -> bytes:
    request = SignalRequest.FromString(data)
    if request.WhichOneof("message") == "add_track":
        request.add_track.audio_features.append(AudioTrackFeature.TF_STEREO)
    return request.SerializeToString()
