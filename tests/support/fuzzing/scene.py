"""Sessions of every kind and state, made through the API: most before the first case, what deletions use up when asked;
whatever is fuzzed finds some."""

from itertools import count
from typing import Any

import requests

from sessions.ids import parse_id
from tests.support.fuzzing.cast import Actor, Cast
from tests.support.fuzzing.stand_in_worker import AT_A_TIME, MOST_RUNNING
from tests.support.running.api_server import create_body, worker_token

DAY = 86_400.0
FINISHED = 6


class Scene:
    """Makes sessions and keys as the owner of `key` would."""

    def __init__(self, cast: Cast, base_url: str, key: str) -> None:
        self._cast = cast
        self._base_url = base_url
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {key}"
        self._spare_sessions: dict[bool, list[str]] = {True: [], False: []}
        self._spare_keys: list[str] = []
        self._endpoint: str | None = None
        self._numbers = count()

    def open(self) -> None:
        """Voice sessions that wait, run and have ended, with a project and without, one archived; text sessions too."""
        for number in range((MOST_RUNNING + FINISHED) // AT_A_TIME * AT_A_TIME + 1):
            made = self._voice_session(stays=True, **({"project_id": "proj_42"} if number % 2 else {}))
            if number == 0:
                self._archive(made["id"])
        for number in range(2):
            made = self._post("/api/sessions", {"agent_id": "agent_x", "task_id": f"task-{number}"})
            self._cast.enter(made, stays=True)
            self._post(f"/api/sessions/{made['id']}/message", {"content": "Hello"})
            self._cast.learn("send_task_message", {"session_id": made["id"]})
        self._post(f"/v1/sessions/{made['id']}/pause", {})
        self._cast.learn("pause_session", {"session_id": made["id"]})

    def spare_session(self, *, archived: bool) -> Actor:
        """One that is over and may be deleted: by turns with all that can come of a session, and canceled unheard."""
        spares = self._spare_sessions[archived]
        while spares:
            if (known := self._cast.get(spares[-1])) is not None and known.archived == archived:
                return known
            spares.pop()
        made = self._voice_session(stays=False)
        if next(self._numbers) % 2:
            self._cast.worker.finish(parse_id("sess", made["id"]))
        else:
            self._post(f"/v1/sessions/{made['id']}/cancel", {})
            self._cast.learn("cancel_session", {"session_id": made["id"]})
        if archived:
            self._archive(made["id"])
        spares.append(made["id"])
        return self._cast.known(made["id"])

    def spare_key(self) -> str:
        """The id of an API key that works."""
        if not self._spare_keys:
            body = {"kind": "agent", "agent_id": "agent_x", "scopes": ["sessions:read"]}
            self._spare_keys.append(self._post("/v1/api_keys", body)["id"])
        return self._spare_keys[-1]

    def key_used(self, key_id: str) -> None:
        """It was revoked or rotated."""
        if key_id in self._spare_keys:
            self._spare_keys.remove(key_id)

    def new_endpoint(self) -> str:
        """The id of a new webhook endpoint, in the place of the one before."""
        if self._endpoint is not None:
            self._http.delete(f"{self._base_url}/v1/webhook_endpoints/{self._endpoint}", timeout=60)
        self._endpoint = self._post("/v1/webhook_endpoints", {"url": "https://hooks.example.com"})["id"]
        return self._endpoint

    def new_delivery(self) -> str:
        """The id of a delivery to a new endpoint."""
        tested = self._post(f"/v1/webhook_endpoints/{self.new_endpoint()}/test?wait_seconds=0", {})
        return str(tested["id"])

    def _voice_session(self, *, stays: bool, **fields: Any) -> dict[str, Any]:
        room = f"scene-{next(self._numbers)}"
        made = self._post(
            "/v1/sessions", create_body(room, transport={"worker_token": worker_token(room, ttl=DAY)}, **fields)
        )
        self._cast.enter(made, stays=stays)
        return made

    def _archive(self, session_id: str) -> None:
        self._post(f"/v1/sessions/{session_id}/archive", {})
        self._cast.learn("archive_session", {"session_id": session_id})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.post(self._base_url + path, json=body, timeout=60)
        assert answer.ok, answer.text
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made
