"""Behind a proxy that serves the API below a path: every link that the API makes keeps it."""

from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.control_api.outputs.recordings.test_recordings import AUDIO, store_recording
from tests.support.running.api_server import api_server, create_body

PUBLIC = "https://voice.example.com/parley"


async def test_links_of_every_kind_begin_with_the_public_url(database_url: str, tmp_path: Path) -> None:
    """Location of what is made, of its repetition, of audio; the document's servers."""
    async with api_server(database_url, tmp_path, public_url=PUBLIC + "/") as api:
        for path, body in (("/v1/sessions", create_body("room")), ("/api/sessions", {"agent_id": "ann"})):
            for _ in range(2):
                made = await api.call("POST", path, body, headers={"Idempotency-Key": "once"})
                assert made.headers["Location"] == f"/parley{path}/{made.content['id']}"
        session = await api.create("another")
        await store_recording(api, session["id"])
        audio = await api.call("GET", f"/v1/sessions/{session['id']}/audio")
        assert audio.headers["Location"] == audio.content["url"]
        assert audio.headers["Location"].startswith(f"{PUBLIC}/v1/objects/")
        link = urlsplit(audio.headers["Location"])
        proxied = await api.call("GET", f"{link.path.removeprefix('/parley')}?{link.query}", key=None)
        assert (proxied.status, proxied.body) == (200, AUDIO)
        document = await api.call("GET", "/openapi.json", key=None)
        assert document.content["servers"] == [{"url": PUBLIC}]
