"""Records a session with the Python client that openapi-generator makes; see `tools/clients/scene.py`."""

import os
import time
from pathlib import Path

from openapi_client import ApiClient, Configuration, RecordingsApi, SessionsApi
from openapi_client.models import (
    CreateSessionRequest,
    CreateSessionRequestTransport,
    LiveKitTransportRequest,
    SessionResource,
)

configuration = Configuration(host=os.environ["PARLEY_URL"], access_token=os.environ["PARLEY_KEY"])

with ApiClient(configuration) as client:
    sessions = SessionsApi(client)

    def reached(session: SessionResource, until: str, status: str) -> None:
        """Wait until the session has that status."""
        now = sessions.get_session(session.id, until=until, prefer="wait=30").actual_instance
        assert isinstance(now, SessionResource), now
        assert now.status == status, now.status

    transport = LiveKitTransportRequest(
        type="livekit",
        url=os.environ["LIVEKIT_URL"],
        room_name=os.environ["ROOM"],
        worker_token=os.environ["WORKER_TOKEN"],
    )
    session = sessions.create_session(
        CreateSessionRequest(transport=CreateSessionRequestTransport(transport), tags=["made"])
    )
    reached(session, "running", "running")
    time.sleep(float(os.environ["SECONDS"]))
    sessions.end_session(session.id)
    reached(session, "terminal", "ended")
    Path(os.environ["OUT"]).write_bytes(RecordingsApi(client).get_audio(session.id))
