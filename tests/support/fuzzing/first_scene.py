"""Sessions of every kind and state, made through the API before the first case: whatever is fuzzed finds some."""

from typing import Any

import requests

from tests.support.api_server import create_body, worker_token
from tests.support.fuzzing.cast import Cast
from tests.support.fuzzing.stand_in_worker import AT_A_TIME, MOST_RUNNING

DAY = 86_400.0
FINISHED = 6


def open_scene(cast: Cast, base_url: str, key: str) -> None:
    """Voice sessions that wait, run and have ended, with a project and without, one archived; text sessions too."""
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {key}"

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = http.post(base_url + path, json=body, timeout=60)
        assert answer.ok, answer.text
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made

    count = (MOST_RUNNING + FINISHED) // AT_A_TIME * AT_A_TIME + 1
    for number in range(count):
        room = f"first-{number}"
        project = {"project_id": "proj_42"} if number % 2 else {}
        body = create_body(room, transport={"worker_token": worker_token(room, ttl=DAY)}, **project)
        cast.enter(made := post("/v1/sessions", body), stays=True)
        if number == 0:
            post(f"/v1/sessions/{made['id']}/archive", {})
            cast.learn("archive_session", {"session_id": made["id"]})
    for number in range(2):
        cast.enter(made := post("/api/sessions", {"agent_id": "agent_x", "task_id": f"task-{number}"}), stays=True)
        post(f"/api/sessions/{made['id']}/message", {"content": "Hello"})
        cast.learn("send_task_message", {"session_id": made["id"]})
    post(f"/v1/sessions/{made['id']}/pause", {})
    cast.learn("pause_session", {"session_id": made["id"]})
