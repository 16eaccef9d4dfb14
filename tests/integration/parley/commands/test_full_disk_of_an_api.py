"""`parley api` on a disk that is full: its data folder, its local storage and its log."""

from pathlib import Path

from parley.servers.livekit_server import LiveKitServer
from tests.support.running.stack import Stack, eventually

# Everything that the process can write to is on a small disk, which something else fills when `full` is removed.
_SMALL_DISK = """
mount -t tmpfs -o size=256k,mode=0700 tmpfs {small} && mkdir {small}/objects || exit 1
(while [ ! -e {folder}/fill ]; do sleep 0.05; done
 dd if=/dev/zero of={small}/filler bs=1k
 df {small} | tail -1 > {folder}/filled.new && mv {folder}/filled.new {folder}/filled) 2>/dev/null &
exec "$@" > {small}/log 2>&1
"""


async def test_an_api_whose_disk_is_full_goes_on_answering(
    tmp_path: Path, database_url: str, livekit: LiveKitServer
) -> None:
    """Sessions are made, read, changed and canceled; only what it would have logged is lost."""
    small = tmp_path / "small"
    small.mkdir()
    script = _SMALL_DISK.format(small=small, folder=tmp_path)
    settings = {"PARLEY_DATA_DIR": str(small / "data"), "PARLEY_STORAGE_URL": f"file://{small}/objects"}
    async with Stack(tmp_path, database_url, livekit, settings) as stack:
        prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")
        await stack.start_api(prefix=prefix)
        before = await stack.create("before")
        (tmp_path / "fill").touch()

        async def filled() -> bool:
            return (tmp_path / "filled").exists()

        await eventually(filled, what="the disk is full")
        assert (tmp_path / "filled").read_text().split()[4] == "100%"

        for number in range(50):  # each is a line of the log, more than a page of it
            session = await stack.create(f"room-{number}")
            assert (await stack.get(session["id"]))["status"] == "queued"
        for one in (before, session):
            status, changed = await stack.call("PATCH", f"/v1/sessions/{one['id']}", {"title": "on a full disk"})
            assert (status, changed["title"]) == (200, "on a full disk")
            status, canceled = await stack.call("POST", f"/v1/sessions/{one['id']}/cancel")
            assert (status, canceled["status"]) == (200, "canceled")
        status, page = await stack.call("GET", "/v1/sessions?limit=100")
        assert (status, len(page["data"])) == (200, 51)
        status, health = await stack.call("GET", "/healthz")
        assert status == 200, health
        assert stack.processes[0].popen.poll() is None
