"""`GET /v1/sessions` and `GET /v1/sessions/{session_id}`."""

from functools import partial

from aiohttp import web

from control_api.http.answers.entity_tag import entity_tag, is_unchanged
from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from control_api.http.serving.long_answer import long_list
from control_api.sessions.bodies.presenter import present_session, present_session_in_hex
from control_api.sessions.bodies.resource_models import SessionList
from control_api.sessions.long_poll import GOALS, preferred_wait, wait_until
from control_api.sessions.notifications import NOTIFICATIONS
from control_api.sessions.session_pages import session_pages
from sessions.ids import is_hex_spelling
from sessions.lifecycle.lifecycle import Status
from sessions.session import Session
from store.database.time_bound import database_time_bound
from store.sessions.filter import SessionFilter

JSON = "application/json"
HEX_SESSION = "application/vnd.parley.session+json"


async def list_sessions(call: Call) -> web.StreamResponse:
    """A page of the organization's sessions, newest first."""
    query = call.query
    if call.agent is not None and query["agent_id"] not in (None, call.agent):
        return json_answer(SessionList.whole([]))
    wanted = SessionFilter(
        statuses=frozenset[Status]().union(*query["status"]) or None,
        created_after=query["created_after"],
        created_before=query["created_before"],
        agent_id=call.agent or query["agent_id"],
        task_id=query["task_id"],
        project_id=query["project_id"],
        tag=query["tag"],
        external_customer_id=query["external_customer_id"],
        archived=query["archived"],
    )
    present = partial(present_session, content=call.reads_content)
    pages = session_pages(call, wanted, present, participants=_participants_wanted(call))
    return await long_list(call, pages, lambda last: last.id)


async def get_session(call: Call) -> web.StreamResponse:
    """The session now, or, if asked to wait, once it has reached `until` or the time is over.

    It is answered with hex ids and three status words when its id is sent in hex (`session_` and 32 digits) or the
    client accepts `HEX_SESSION`.
    """
    media_type = accepted_media_type(call.request.headers, (JSON, HEX_SESSION))
    in_hex = media_type == HEX_SESSION or is_hex_spelling(call.request.match_info["session_id"])

    participants = _participants_wanted(call)

    async def read() -> Session:
        queries = call.dependencies.sessions.queries
        return await queries.get(call.organization_id, call.session_id, participants=participants)

    async def look_again() -> Session:
        with database_time_bound(call.dependencies.settings.database_timeout_seconds):  # after a wait that was wanted
            await call.check_key()
            return await read()

    session = await read()
    headers = {"Vary": "Accept"}
    goal, seconds = call.query["until"], preferred_wait(call.request.headers)
    if goal is not None and seconds > 0:
        headers["Preference-Applied"] = f"wait={seconds}"
        if session.status not in GOALS[goal]:
            session = await wait_until(look_again, GOALS[goal], seconds, call.request.app[NOTIFICATIONS], session)
    content = call.reads_content
    tag = entity_tag(session) + ("-hex" if in_hex else "") + ("" if content else "-metadata")
    headers["ETag"] = f'"{tag}"'
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers={"Cache-Control": "private, no-cache", **headers})
    present = present_session_in_hex if in_hex else present_session
    answer = json_answer(present(session, content=content), headers=headers)
    answer.content_type = media_type
    return answer


def _participants_wanted(call: Call) -> bool:
    return call.query["expand"] == "participants" and call.reads_content
