"""`GET /v1/sessions` and `GET /v1/sessions/{session_id}`."""

from aiohttp import web

from control_api.call import Call
from control_api.dependencies import NOTIFICATIONS
from control_api.entity_tag import entity_tag, is_unchanged
from control_api.json_answer import json_answer
from control_api.long_poll import GOALS, preferred_wait, wait_until
from control_api.schemas.session_resource import SessionList
from control_api.session_presenter import present_session
from sessions.lifecycle import Status
from sessions.session import Session
from store.session_filter import SessionFilter


async def list_sessions(call: Call) -> web.StreamResponse:
    """A page of the organization's sessions, newest first."""
    query = call.query
    wanted = SessionFilter(
        statuses=frozenset[Status]().union(*query["status"]) or None,
        created_after=query["created_after"],
        created_before=query["created_before"],
        agent_id=query["agent_id"],
        task_id=query["task_id"],
        project_id=query["project_id"],
        tag=query["tag"],
        external_customer_id=query["external_customer_id"],
        archived=query["archived"],
    )
    found, has_more = await call.dependencies.sessions.list(
        call.organization_id, wanted, limit=query["limit"], starting_after=query["starting_after"]
    )
    data = [present_session(session) for session in found]
    cursor = data[-1].id if has_more and data else None
    return json_answer(SessionList(object="list", data=data, has_more=has_more, next_cursor=cursor))


async def get_session(call: Call) -> web.StreamResponse:
    """The resource now, or as soon as it has got somewhere."""

    async def read() -> Session:
        return await call.dependencies.sessions.get(call.organization_id, call.session_id)

    session = await read()
    headers = {}
    goal, seconds = call.query["until"], preferred_wait(call.request.headers)
    if goal is not None and seconds > 0:
        headers["Preference-Applied"] = f"wait={seconds}"
        if session.status not in GOALS[goal]:
            session = await wait_until(read, GOALS[goal], seconds, call.request.app[NOTIFICATIONS], session)
    tag = entity_tag(session)
    headers["ETag"] = f'"{tag}"'
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers={"Cache-Control": "private, no-cache", **headers})
    return json_answer(present_session(session), headers=headers)
