"""Transcripts and summaries: the canonical operations and those of the flat paths, whose reference is quoted."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from store.installation.storage_identity import StorageIdentity
from store.outputs.summaries import Summaries
from store.outputs.transcript_versions import MadeVersion, TranscriptVersions
from store.outputs.transcripts import Transcripts
from store.sessions.log.session_log import NewLogEntry, SessionLog
from store.sessions.queries import SessionQueries
from tests.support.running.api_server import ApiServer
from worker.outputs.leftovers import Leftovers
from worker.outputs.summary.extractive import ExtractiveSummarizer
from worker.outputs.summary.summarizer import Summarizer, SummaryError
from worker.outputs.summary.writer import SummaryWriter

SUMMARY = "/v1/sessions/summary"
REGENERATE = "/v1/sessions/summary/regenerate"

SPOKEN = (
    ("alice", "The database of the shop is slow since Monday.", 1000, 4000),
    ("bob", "Then we should look at the database of the shop first.", 4500, 7500),
    ("alice", "I will send you the slow queries of the shop by noon.", 8000, 11250),
    ("bob", "Thanks.", 11500, 12000),
)


async def spoken_session(
    api: ApiServer, words: tuple[tuple[str, str, int, int], ...] = SPOKEN, **fields: Any
) -> dict[str, Any]:
    """A session that has ended, with something in its log."""
    session = await api.create("room", **fields)
    session_id = parse_id("sess", session["id"])
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET status = 'ended', started_at = created_at, finished_at = now() WHERE id = :id"),
            {"id": session_id},
        )
        await conn.execute(
            text("INSERT INTO transcripts (session_id, state, created_at) VALUES (:id, 'available', now())"),
            {"id": session_id},
        )
    await say(api, session_id, *words)
    return session


async def say(api: ApiServer, session_id: UUID, *turns: tuple[str, str, int, int]) -> None:
    """Add to the log what somebody said."""
    entries = [
        NewLogEntry(kind="segment", role="user", text=words, source="speech", identity=who, start_ms=start, end_ms=end)
        for who, words, start, end in turns
    ]
    await SessionLog(api.dependencies.db).append(session_id, entries)


async def run_job(api: ApiServer, session_id: str, summarizer: Summarizer | None = None) -> None:
    """What the speech process does when the job is there."""
    db = api.dependencies.db
    writer = SummaryWriter(
        Summaries(db),
        Transcripts(db),
        SessionQueries(db),
        api.dependencies.objects,
        StorageIdentity(db, api.dependencies.objects).confirm,
        Leftovers(db, api.dependencies.objects),
        summarizer or ExtractiveSummarizer(),
    )
    await writer.summarize(parse_id("sess", session_id))


class Broken:
    """A summarizer whose endpoint is away."""

    name = "openai"
    model: str | None = "m"

    async def summarize(self, segments: Any, language: str | None) -> Any:
        """Fail as the chat summarizer does."""
        raise SummaryError("summary.engine_failed", "the endpoint answered with HTTP 503")


async def test_the_transcript_is_served_in_four_formats(api: ApiServer) -> None:
    """By `Accept`; JSON when nobody says, 406 for anything else."""
    session = await spoken_session(api)
    path = f"/v1/sessions/{session['id']}/transcript"
    reply = await api.call("GET", path)
    assert (reply.status, reply.content["status"], reply.content["object"]) == (200, "available", "transcript")
    assert [turn[1] for turn in SPOKEN] == [segment["text"] for segment in reply.content["segments"]]
    first = reply.content["segments"][0]
    assert (
        first["identity"],
        first["start_ms"],
        first["end_ms"],
        first["source"],
    ) == ("alice", 1000, 4000, "speech")
    for media_type, expected in (
        ("text/vtt", "WEBVTT\n\n1\n00:00:01.000 --> 00:00:04.000\n<v alice>The database of the shop is slow"),
        ("application/x-subrip", "1\n00:00:01,000 --> 00:00:04,000\nalice: The database of the shop is slow"),
        ("text/plain", "[00:00:01] alice: The database of the shop is slow since Monday.\n[00:00:04] bob: Then"),
    ):
        reply = await api.call("GET", path, headers={"Accept": media_type})
        assert reply.status == 200
        assert reply.headers["Content-Type"] == f"{media_type}; charset=utf-8"
        assert reply.body.decode().startswith(expected)
    refused = await api.call("GET", path, headers={"Accept": "image/png"})
    assert (refused.status, refused.code) == (406, "not_acceptable")


async def test_a_session_without_words_has_an_empty_transcript(api: ApiServer) -> None:
    """`open` while it goes on, `none` when it never ran."""
    session = await api.create("room")
    path = f"/v1/sessions/{session['id']}/transcript"
    content = (await api.call("GET", path)).content
    assert (content["status"], content["segments"]) == ("open", [])
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    content = (await api.call("GET", path)).content
    assert (content["status"], content["segments"]) == ("none", [])


async def test_times_are_the_files_where_pauses_are_cut_out(api: ApiServer) -> None:
    """300 ms of pause after the first sentence: what follows comes 300 ms earlier."""
    session = await spoken_session(api, recording={"on_pause": "cut"})
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO session_pauses (session_id, paused_at, resumed_at) SELECT id,"
                " started_at + interval '4.1 seconds', started_at + interval '4.4 seconds' FROM sessions WHERE id = :id"
            ),
            {"id": parse_id("sess", session["id"])},
        )
    segments = (await api.call("GET", f"/v1/sessions/{session['id']}/transcript")).content["segments"]
    assert [(segment["start_ms"], segment["end_ms"]) for segment in segments] == [
        (1000, 4000),
        (4200, 7200),
        (7700, 10950),
        (11200, 11700),
    ]


async def test_the_flat_path_reads_conversation_json(api: ApiServer) -> None:
    """`transcript`: parsed JSON; `conversation.json not found for session ...` until there is one."""
    session = await spoken_session(api, project_id="proj_1")
    query = {"sessionId": session["id"], "type": "project", "projectId": "proj_1"}
    reply = await api.call("GET", "/v1/session/transcript", params=query)
    assert (404, {"error": f"conversation.json not found for session {session['id']}"}) == (reply.status, reply.content)
    stored = {"segments": [{"text": "hi"}]}
    await api.close_transcript(session["id"], json.dumps(stored).encode())
    reply = await api.call("GET", "/v1/session/transcript", params=query)
    assert {"success": True, "sessionId": session["id"], "transcript": stored} == reply.content
    for changes, status, expected in (
        ({"type": "instant"}, 404, "Session not found"),
        ({"projectId": "proj_2"}, 404, "Session not found"),
        ({"sessionId": ""}, 400, "sessionId is required"),
        ({"type": "x"}, 400, 'type must be "project" or "instant"'),
        ({"projectId": ""}, 400, "projectId is required when type=project"),
    ):
        reply = await api.call("GET", "/v1/session/transcript", params={**query, **changes})
        assert (status, {"error": expected}) == (reply.status, reply.content)


async def test_the_first_read_starts_a_run_and_the_next_ones_find_it(api: ApiServer) -> None:
    """202 {success false, generating true, workflowId, runId}; then 200 {success, sessionId, summary}."""
    session = await spoken_session(api)
    query = {"sessionId": session["id"], "instant_voice_links": "true"}
    first = await api.call("GET", SUMMARY, params=query)
    assert first.status == 202
    assert {
        "success": False,
        "sessionId": session["id"],
        "generating": True,
        "workflowId": f"summary-{session['id']}",
        "runId": first.content["runId"],
    } == first.content
    assert first.content["runId"].startswith("run_")
    assert first.content == (await api.call("GET", SUMMARY, params=query)).content

    await run_job(api, session["id"])
    reply = await api.call("GET", SUMMARY, params=query)
    assert (200, True, session["id"]) == (reply.status, reply.content["success"], reply.content["sessionId"])
    run = await Summaries(api.dependencies.db).get(parse_id("sess", session["id"]))
    assert run is not None
    assert run.object_key is not None
    stored = await api.dependencies.objects.get(run.object_key)
    assert json.loads(stored) == reply.content["summary"]


async def test_the_embedded_summary_is_made_of_what_was_said(api: ApiServer) -> None:
    """Title, sentences, key points and promises are theirs; talk times add up."""
    session = await spoken_session(api)
    await api.call("GET", SUMMARY, params={"sessionId": session["id"]})
    await run_job(api, session["id"])
    summary = (await api.call("GET", SUMMARY, params={"sessionId": session["id"]})).content["summary"]
    said = [turn[1] for turn in SPOKEN]
    assert any(sentence.startswith(summary["title"]) for sentence in said)
    assert set(summary["key_points"]) <= set(said)
    assert {"alice: I will send you the slow queries of the shop by noon.", f"bob: {said[1]}"} == set(
        summary["action_items"]
    )
    assert summary["talk_time_ms"] == {"alice": 6250, "bob": 3500}
    assert [one["identity"] for one in summary["participants"]] == ["alice", "bob"]
    assert (summary["engine"], summary["model"]) == ("extractive", "lexrank")


async def test_regenerating_starts_one_run_at_a_time(api: ApiServer) -> None:
    """202 {success true, sessionId, workflowId, runId}; the workflow stays, the run changes."""
    session = await spoken_session(api, project_id="proj_1")
    body = {"sessionId": session["id"], "projectId": "proj_1"}
    first = await api.call("POST", REGENERATE, body)
    assert (first.status, first.content["success"]) == (202, True)
    assert list(first.content) == ["success", "sessionId", "workflowId", "runId"]
    assert first.content == (await api.call("POST", REGENERATE, body)).content
    await run_job(api, session["id"])
    second = await api.call("POST", REGENERATE, body)
    assert first.content["workflowId"] == second.content["workflowId"]
    assert first.content["runId"] != second.content["runId"]
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'summaries.summarize' AND status = 'todo'"
    async with api.dependencies.db.begin() as conn:
        assert (await conn.execute(text(jobs))).scalar_one() == 1


async def test_many_who_ask_at_once_have_one_run(api: ApiServer) -> None:
    """Readers and regenerators, before there is a run and after one is over: the same run for all, one job."""
    session = await spoken_session(api)
    workflows: set[str] = set()
    runs: list[str] = []
    for _ in range(3):
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(api.call("POST", REGENERATE, {"sessionId": session["id"]}))
                if number % 3
                else group.create_task(api.call("POST", f"/v1/sessions/{session['id']}/summary"))
                for number in range(12)
            ]
        replies = [task.result() for task in asking]
        assert {reply.status for reply in replies} == {202}
        found = {reply.content.get("runId") or reply.content["run_id"] for reply in replies}
        assert len(found) == 1
        runs += found
        workflows |= {reply.content.get("workflowId") or reply.content["workflow_id"] for reply in replies}
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'summaries.summarize' AND status = 'todo'"
        async with api.dependencies.db.begin() as conn:
            assert (await conn.execute(text(jobs))).scalar_one() == 1
        async with asyncio.TaskGroup() as group:
            for _ in range(2):  # a job that was freed too early runs twice
                group.create_task(run_job(api, session["id"]))
    assert (len(set(runs)), workflows) == (3, {f"summary-{session['id']}"})


async def test_what_a_run_came_to_stays(api: ApiServer) -> None:
    """Its job, run twice because it was freed too early, fails after it has succeeded: the summary stays."""
    session = await spoken_session(api)
    session_id = parse_id("sess", session["id"])
    summaries = Summaries(api.dependencies.db)
    run = await summaries.request(session_id, again=False)
    assert run is not None
    await run_job(api, session["id"])
    assert not await summaries.fail(session_id, run.run_id, "0" * 64, "summary.engine_failed", "too late")
    assert not await summaries.finish(session_id, new_uuid(), "0" * 64, "somewhere/else")
    assert (await api.call("GET", SUMMARY, params={"sessionId": session["id"]})).status == 200


async def test_a_session_in_which_nobody_spoke_has_an_empty_summary(api: ApiServer) -> None:
    """200 with nothing in it, made by no model; so has one that never ran."""
    session = await spoken_session(api, words=())
    never = await api.create("other")
    await api.call("POST", f"/v1/sessions/{never['id']}/cancel")
    for one in (session, never):
        query = {"sessionId": one["id"]}
        assert (await api.call("GET", SUMMARY, params=query)).status == 202
        await run_job(api, one["id"], Broken())
        reply = await api.call("GET", SUMMARY, params=query)
        assert reply.status == 200
        summary = reply.content["summary"]
        canonical = await api.call("GET", f"/v1/sessions/{one['id']}/summary")
        assert (canonical.status, canonical.content["content"]) == (200, summary)
        assert len(summary.pop("transcript_sha256")) == 64
        assert summary == {
            "title": None,
            "summary": "",
            "key_points": [],
            "action_items": [],
            "participants": [],
            "talk_time_ms": {},
            "language": None,
            "engine": None,
            "model": None,
        }


async def test_a_summary_of_a_transcript_that_grew_is_not_served(api: ApiServer) -> None:
    """The result is tied to the transcript's hash."""
    session = await spoken_session(api)
    query = {"sessionId": session["id"]}
    await api.call("GET", SUMMARY, params=query)
    await run_job(api, session["id"])
    assert (await api.call("GET", SUMMARY, params=query)).status == 200
    await say(api, parse_id("sess", session["id"]), ("carol", "One more thing.", 13_000, 14_000))
    assert (await api.call("GET", SUMMARY, params=query)).status == 202
    await run_job(api, session["id"])
    reply = await api.call("GET", SUMMARY, params=query)
    assert "carol" in reply.content["summary"]["talk_time_ms"]


async def test_a_failed_run_says_why_and_can_be_repeated(api: ApiServer) -> None:
    """500 { "error": string }, also in the canonical resource; regenerating makes it good."""
    session = await spoken_session(api)
    query = {"sessionId": session["id"]}
    await api.call("GET", SUMMARY, params=query)
    await run_job(api, session["id"], Broken())
    reply = await api.call("GET", SUMMARY, params=query)
    expected = "the summary was not made: the endpoint answered with HTTP 503; regenerate it"
    assert (500, {"error": expected}) == (reply.status, reply.content)
    assert reply.headers["X-Error-Code"] == "summary.failed"
    canonical = (await api.call("GET", f"/v1/sessions/{session['id']}/summary")).content
    assert canonical["status"] == "failed"
    assert canonical["error"] == {"code": "summary.engine_failed", "message": "the endpoint answered with HTTP 503"}
    assert (await api.call("POST", REGENERATE, {"sessionId": session["id"]})).status == 202
    await run_job(api, session["id"])
    assert (await api.call("GET", SUMMARY, params=query)).status == 200


async def test_a_run_waits_for_the_transcript(api: ApiServer) -> None:
    """Asked for while speech is being recognized, it is made afterwards."""
    session = await spoken_session(api)
    session_id = parse_id("sess", session["id"])
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("UPDATE transcripts SET state = 'pending' WHERE session_id = :id"), {"id": session_id})
    query = {"sessionId": session["id"]}
    first = await api.call("GET", SUMMARY, params=query)
    await run_job(api, session["id"])
    assert first.content == (await api.call("GET", SUMMARY, params=query)).content


async def test_the_canonical_summary(api: ApiServer) -> None:
    """`none`, then the run, then its content."""
    session = await spoken_session(api, title="Slow shop")
    path = f"/v1/sessions/{session['id']}/summary"
    never = (await api.call("GET", path)).content
    assert (never["status"], never["run_id"], never["content"]) == ("none", None, None)
    started = await api.call("POST", path)
    assert (started.status, started.content["status"]) == (202, "generating")
    await run_job(api, session["id"])
    reply = (await api.call("GET", path)).content
    assert (reply["status"], reply["is_current"], reply["content"]["title"]) == ("available", True, "Slow shop")
    assert (started.content["run_id"], started.content["workflow_id"]) == (reply["run_id"], reply["workflow_id"])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_bad_summary_requests_have_the_references_texts(api: ApiServer, method: str) -> None:
    """`{ "error": "sessionId is required" }`, 404 for what doesn't match; nothing is started."""
    project = await api.create("room", project_id="proj_1")
    instant = await api.create("other")
    for values, status, expected in (
        ({}, 400, "sessionId is required"),
        ({"sessionId": ""}, 400, "sessionId is required"),
        ({"sessionId": "sess_00000000000000000000000000"}, 404, "Session not found"),
        ({"sessionId": project["id"], "projectId": "proj_2"}, 404, "Session not found"),
        ({"sessionId": instant["id"], "projectId": "proj_2"}, 404, "Session not found"),
        ({"sessionId": project["id"], "instant_voice_links": True}, 404, "Session not found"),
    ):
        if method == "GET":
            query = {name: "1" if value is True else value for name, value in values.items()}
            reply = await api.call("GET", SUMMARY, params=query)
        else:
            reply = await api.call("POST", REGENERATE, values)
        assert (status, {"error": expected}) == (reply.status, reply.content), values
        assert reply.headers["X-Request-Id"].startswith("req_")
    async with api.dependencies.db.begin() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM summaries"))).scalar_one() == 0


async def test_a_deleted_session_has_no_summary_any_more(api: ApiServer) -> None:
    """A run that ends afterwards leaves nothing behind."""
    session = await spoken_session(api)
    await api.call("GET", SUMMARY, params={"sessionId": session["id"]})
    db = api.dependencies.db
    erased: list[int] = []

    class Slow(ExtractiveSummarizer):
        async def summarize(self, segments: Any, language: str | None) -> Any:
            erased.append((await api.call("DELETE", f"/v1/sessions/{session['id']}")).status)
            return await super().summarize(segments, language)

    await run_job(api, session["id"], Slow())
    assert erased == [204]
    folder = api.dependencies.objects.local_path(f"sessions/{session['id']}")
    assert folder is not None
    assert not folder.exists()
    async with db.begin() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM summaries"))).scalar_one() == 0


async def test_a_transcript_is_made_anew_one_run_at_a_time(api: ApiServer) -> None:
    """202 with the run; who asks meanwhile has the same one, whatever they ask for. Messages keep what came first."""
    session = await spoken_session(api)
    path = f"/v1/sessions/{session['id']}/transcript"
    session_id = parse_id("sess", session["id"])
    none = await api.call("POST", path, {"engine": "openai"})
    assert (none.status, none.content["error"]["code"]) == (404, "audio.none")
    await set_recording(api, session_id, "available")
    never = await api.call("GET", f"{path}/run")
    assert (never.status, never.content["error"]["code"]) == (404, "transcript.none")

    asked = await api.call("POST", path, {"engine": "openai", "language": "de"})
    assert asked.status == 202
    run = asked.content
    assert [run[name] for name in ("status", "version", "engine", "language", "audio")] == [
        "generating",
        2,
        "openai",
        "de",
        None,
    ]
    assert run == (await api.call("POST", path)).content == (await api.call("GET", f"{path}/run")).content
    versions = TranscriptVersions(api.dependencies.db)
    work = await versions.begin(session_id, 3600)
    assert work is not None
    assert (await api.call("GET", path)).content["version"] == 1
    said = {"speaker": None, "identity": None, "role": "user", "text": "Anders.", "reason": None}
    spoken = [{**said, "start_ms": 900, "end_ms": 4100, "confidence": None, "words": None}]
    before = await SessionLog(api.dependencies.db).append(session_id, [])
    assert await versions.keep(work.run, MadeVersion("openai", "large", "de", "mix", spoken))
    assert await versions.finish(work.run, "key")
    assert before == []

    newest = (await api.call("GET", path)).content
    assert [newest[name] for name in ("version", "status", "engine", "language")] == [2, "available", "openai", "de"]
    assert [(one["seq"], one["text"]) for one in newest["segments"]] == [(len(SPOKEN) + 1, "Anders.")]
    first = (await api.call("GET", path, params={"version": "1"})).content
    assert [one["text"] for one in first["segments"]] == [words for _, words, _, _ in SPOKEN]
    unknown = await api.call("GET", path, params={"version": "3"})
    assert (unknown.status, unknown.content["error"]["param"]) == (404, "version")

    another = (await api.call("POST", path)).content
    assert (another["version"], another["run_id"] != run["run_id"]) == (3, True)
    again = await versions.begin(session_id, 3600)
    assert again is not None
    assert await versions.fail(again.run, "speech.engine_missing", "there is none")
    assert not await versions.keep(work.run, MadeVersion("openai", "large", "de", "mix", []))
    assert not await versions.finish(work.run, "key")
    failed = (await api.call("GET", f"{path}/run")).content
    assert (failed["status"], failed["error"]["code"]) == ("failed", "speech.engine_missing")
    assert (await api.call("GET", path)).content["version"] == 2
    assert (await api.call("POST", path)).content["version"] == 3


async def test_a_transcript_that_is_open_is_not_made_anew(api: ApiServer) -> None:
    """409, to be repeated; nor one whose participants' files are being made. Engines and languages are checked."""
    running = await api.create("room-b")
    open_still = await api.call("POST", f"/v1/sessions/{running['id']}/transcript")
    assert (open_still.status, open_still.content["error"]["code"]) == (409, "transcript.not_ready")
    assert int(open_still.headers["Retry-After"]) >= 1
    session = await spoken_session(api)
    path = f"/v1/sessions/{session['id']}/transcript"
    await set_recording(api, parse_id("sess", session["id"]), "available")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recording_files (session_id, identity, format, state, requested_at)"
                " VALUES (:id, 'alice', 'wav', 'pending', now())"
            ),
            {"id": parse_id("sess", session["id"])},
        )
    waiting = await api.call("POST", path)
    assert (waiting.status, waiting.content["error"]["code"]) == (409, "audio.not_ready")
    for wrong in ({"engine": "none"}, {"language": "English!"}):
        refused = await api.call("POST", path, wrong)
        assert (refused.status, refused.content["error"]["param"]) == (422, *wrong)


async def set_recording(api: ApiServer, session_id: UUID, state: str) -> None:
    """Say what is known of a session's recording."""
    async with api.dependencies.db.begin() as conn:
        values = {"id": session_id, "state": state}
        await conn.execute(text("UPDATE sessions SET recording_state = :state WHERE id = :id"), values)
