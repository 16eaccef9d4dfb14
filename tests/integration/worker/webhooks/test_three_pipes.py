"""An event has one body: in a list, a stream and a webhook it is the same, byte for byte."""

import asyncio
import json

import pytest

from tests.support.running.api_server import ApiServer
from tests.support.running.webhooks import SOON, Receiver, post_office

SCOPES = [["sessions:read", "sessions:read_metadata", "webhooks:manage"], ["sessions:read_metadata", "webhooks:manage"]]


@pytest.mark.parametrize("scopes", SCOPES, ids=["all of it", "without content"])
async def test_list_stream_and_webhook_have_the_same_bytes(
    scopes: list[str], api: ApiServer, hooks: Receiver, database_url: str
) -> None:
    """Texts beyond ASCII, nested metadata and numbers included; for readers of content and for others."""
    made = await api.call("POST", "/v1/api_keys", {"kind": "agent", "agent_id": "a", "scopes": scopes})
    assert made.status == 201, made.content
    key = made.content["key"]
    endpoint = await api.call("POST", "/v1/webhook_endpoints", {"url": hooks.url + "/hook"}, key=key)
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    async with post_office(database_url), api.http.get(api.base_url + "/v1/events", headers=headers) as stream:
        session = await api.create(
            "room", agent_id="a", metadata={"n": 1.50, "größe 👋": "\u2028", "yes": True, "no": None}, title="<&>"
        )
        await api.call("POST", f"/v1/sessions/{session['id']}/messages", {"content": 'Say "hi"\n\t👋 Grüße'})
        await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
        listed = await api.call("GET", "/v1/events", key=key)
        events = listed.content["data"]
        posts = await hooks.until(len(events))
        streamed: list[bytes] = []
        async with asyncio.timeout(SOON):
            while len(streamed) < len(events):
                name, _, value = (await stream.content.readline()).rstrip(b"\n").partition(b": ")
                streamed += [value] * (name == b"data")
    assert [event["type"] for event in events] == [
        "session.created",
        "session.queued",
        "message.created",
        "transcript.none",
        "session.canceled",
    ]
    assert b'"data":[' + b",".join(streamed) + b"]" in listed.body
    assert sorted(streamed) == sorted(post.body for post in posts)
    assert {post.verified(endpoint.content["secret"])["id"] for post in posts} == {event["id"] for event in events}
    content = {json.dumps(event["data"]["session"]["metadata"]) for event in events}
    assert (content == {"null"}) == ("sessions:read" not in scopes)
