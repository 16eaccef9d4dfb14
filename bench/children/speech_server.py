"""An OpenAI-compatible transcription endpoint on loopback that takes as long as it is told, and says the same always.

The request has `times_real_time`: how fast it is (null: it answers at once); the answer `url`. It ends with its stdin.
"""

import asyncio

from aiohttp import web

from bench.children.line_answers import answer, next_request

_WAV_HEADER_BYTES = 44
_BYTES_PER_SECOND = 32_000


async def main() -> None:
    times_real_time: float | None = (await next_request())["times_real_time"]

    async def transcribe(request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        wav = file.file.read()
        if times_real_time is not None:
            await asyncio.sleep((len(wav) - _WAV_HEADER_BYTES) / _BYTES_PER_SECOND / times_real_time)
        return web.json_response({"text": "Whatever was said.", "language": "en", "segments": [{"avg_logprob": -0.1}]})

    app = web.Application(client_max_size=8 << 20)
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answer({"url": f"http://127.0.0.1:{runner.addresses[0][1]}/v1"})
    await next_request()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
