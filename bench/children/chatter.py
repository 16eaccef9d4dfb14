"""A participant that chats. It says {"heard": text, "at": seconds} for each text stream on `lk.chat`, and sends what it
is asked to send: {"text": …} is answered with {"sent_at": seconds}, the instant before. Seconds are of the system's
monotonic clock, which all processes share.
"""

import asyncio
import time

import uvloop
from livekit import rtc

from bench.children.line_answers import answer, next_request

TOPIC = "lk.chat"


async def main() -> None:
    where = await next_request()
    async with asyncio.TaskGroup() as group:
        room = rtc.Room()

        async def read(reader: rtc.TextStreamReader) -> None:
            text = await reader.read_all()
            answer({"heard": text, "at": time.monotonic()})

        def opened(reader: rtc.TextStreamReader, _identity: str) -> None:
            group.create_task(read(reader), name="read")

        room.register_text_stream_handler(TOPIC, opened)
        await room.connect(where["url"], where["token"], rtc.RoomOptions(auto_subscribe=False))
        answer("joined")
        while (request := await next_request()) is not None:
            sent_at = time.monotonic()
            await room.local_participant.send_text(request["text"], topic=TOPIC)
            answer({"sent_at": sent_at})
        await room.disconnect()


if __name__ == "__main__":
    uvloop.run(main())
