"""Bare joins: each request {"url", "token"} is answered with the seconds that Room.connect took."""

import time

import uvloop
from livekit import rtc

from bench.children.line_answers import answer, next_request


async def main() -> None:
    while (where := await next_request()) is not None:
        room = rtc.Room()
        started = time.perf_counter()
        await room.connect(where["url"], where["token"], rtc.RoomOptions(auto_subscribe=False))
        answer(time.perf_counter() - started)
        await room.disconnect()


if __name__ == "__main__":
    uvloop.run(main())
