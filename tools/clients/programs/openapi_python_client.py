"""Records a session with the client that openapi-python-client makes; see `tools/clients/scene.py`."""

import os
import time
from pathlib import Path

import httpx
from parley_client import AuthenticatedClient
from parley_client.api.recordings import get_audio
from parley_client.api.sessions import create_session, end_session, get_session
from parley_client.models import (
    CreateSessionRequest,
    GetSessionUntil,
    LiveKitTransportRequest,
    SessionResource,
    SessionResourceStatus,
)

client = AuthenticatedClient(
    base_url=os.environ["PARLEY_URL"],
    token=os.environ["PARLEY_KEY"],
    timeout=httpx.Timeout(40),
    follow_redirects=True,
    raise_on_unexpected_status=True,
)


def reached(session: SessionResource, until: GetSessionUntil, status: SessionResourceStatus) -> None:
    """Wait until the session has that status."""
    now = get_session.sync(session.id, client=client, until=until, prefer="wait=30")
    assert isinstance(now, SessionResource), now
    assert now.status == status, now.status


transport = LiveKitTransportRequest(
    type_="livekit",
    url=os.environ["LIVEKIT_URL"],
    room_name=os.environ["ROOM"],
    worker_token=os.environ["WORKER_TOKEN"],
)
session = create_session.sync(client=client, body=CreateSessionRequest(transport=transport, tags=["made"]))
assert isinstance(session, SessionResource), session
reached(session, GetSessionUntil.RUNNING, SessionResourceStatus.RUNNING)
time.sleep(float(os.environ["SECONDS"]))
end_session.sync(session.id, client=client)
reached(session, GetSessionUntil.TERMINAL, SessionResourceStatus.ENDED)
audio = get_audio.sync(session.id, client=client)
Path(os.environ["OUT"]).write_bytes(audio.payload.read())
