"""Summaries by a chat endpoint: what it is asked, long transcripts in parts, answers that are none."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from sessions.texts.transcript import TranscriptSegment
from tests.support.network.loopback import http_server
from worker.outputs.openai_endpoint import OpenAiEndpoint
from worker.outputs.summary.chat import ChatSummarizer
from worker.outputs.summary.summarizer import SummaryError

GIST = {"title": "T", "summary": "S", "key_points": ["k"], "action_items": ["a"], "language": "en"}


class Model:
    """A chat endpoint on loopback."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answer: Any = GIST
        self.statuses: list[int] = []

    async def complete(self, request: web.Request) -> web.Response:
        """Answer as a model that was asked for structured output."""
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("Authorization"))
        status = self.statuses.pop(0) if self.statuses else 200
        content = self.answer if isinstance(self.answer, str) else json.dumps(self.answer)
        return web.json_response({"choices": [{"message": {"content": content}}]}, status=status)


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Model, OpenAiEndpoint]]:
    """The endpoint, and how to reach it."""
    monkeypatch.setattr("worker.outputs.openai_endpoint.FIRST_PAUSE_SECONDS", 0.01)
    model = Model()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.complete)
    async with http_server(app) as base:
        yield model, OpenAiEndpoint(f"{base}/v1/", SecretStr("secret"))


def segments(count: int) -> list[TranscriptSegment]:
    """A transcript."""
    return [
        TranscriptSegment(
            n, None, "ann", "user", f"Sentence number {n}.", n * 1000, n * 1000 + 900, True, None, None, "speech"
        )
        for n in range(count)
    ]


async def test_a_short_transcript_is_one_request_for_structured_output(model: tuple[Model, OpenAiEndpoint]) -> None:
    """The transcript is the user's message, the schema strict, the key a bearer token."""
    asked, endpoint = model
    gist = await ChatSummarizer(endpoint, "gpt").summarize(segments(2), None)
    assert (
        gist.title,
        gist.summary,
        gist.key_points,
        gist.action_items,
        gist.language,
    ) == ("T", "S", ("k",), ("a",), "en")
    [request] = asked.requests
    assert asked.keys == ["Bearer secret"]
    assert request["model"] == "gpt"
    assert request["messages"][1]["content"] == "[00:00] ann: Sentence number 0.\n[00:01] ann: Sentence number 1."
    assert request["response_format"]["type"] == "json_schema"
    assert request["response_format"]["json_schema"]["strict"] is True


async def test_a_long_transcript_goes_in_parts_that_are_put_together(model: tuple[Model, OpenAiEndpoint]) -> None:
    """Every line is in exactly one part, and the parts' summaries are summarized."""
    asked, endpoint = model
    gist = await ChatSummarizer(endpoint, "gpt", part_characters=400).summarize(segments(30), None)
    contents = [request["messages"][1]["content"] for request in asked.requests]
    lines = [line for content in contents for line in content.splitlines() if line.startswith("[")]
    assert [f"Sentence number {n}." for n in range(30)] == [line.partition("ann: ")[2] for line in lines]
    assert len(contents) > 3
    assert all(len(content) <= 400 for content in contents)
    assert json.loads(contents[-1].splitlines()[0])["summary"] == "S"
    assert gist.summary == "S"


@pytest.mark.parametrize("answer", ["not json", {"title": "T"}, {**GIST, "key_points": "k"}])
async def test_an_answer_that_is_no_summary_is_an_error(model: tuple[Model, OpenAiEndpoint], answer: Any) -> None:
    """Nothing is made up in its place."""
    asked, endpoint = model
    asked.answer = answer
    with pytest.raises(SummaryError) as failure:
        await ChatSummarizer(endpoint, "gpt").summarize(segments(2), None)
    assert failure.value.code == "summary.engine_failed"


async def test_a_busy_endpoint_is_asked_again_and_one_that_refuses_is_not(
    model: tuple[Model, OpenAiEndpoint],
) -> None:
    """429 and 503 are tried three times; 401 once."""
    asked, endpoint = model
    asked.statuses = [429, 503]
    assert (await ChatSummarizer(endpoint, "gpt").summarize(segments(2), None)).summary == "S"
    assert len(asked.requests) == 3
    asked.statuses = [401]
    with pytest.raises(SummaryError) as failure:
        await ChatSummarizer(endpoint, "gpt").summarize(segments(2), None)
    assert (
        failure.value.code,
        failure.value.message,
    ) == ("summary.engine_refused", "the endpoint answered with HTTP 401")
    assert len(asked.requests) == 4


@pytest.mark.parametrize("refused", [1, 2])
async def test_a_server_without_structured_output_is_asked_for_plain_json(
    model: tuple[Model, OpenAiEndpoint], refused: int
) -> None:
    """JSON mode, then nothing but words, the schema in both; the next request begins with what worked."""
    asked, endpoint = model
    asked.statuses = [400] * refused
    asked.answer = f"```json\n{json.dumps(GIST)}\n```" if refused == 2 else GIST
    summarizer = ChatSummarizer(endpoint, "gpt")
    for _ in range(2):
        assert (await summarizer.summarize(segments(2), None)).summary == "S"
    kinds = [request.get("response_format", {}).get("type") for request in asked.requests]
    ladder = ["json_schema", "json_object", None]
    assert kinds == [*ladder[: refused + 1], ladder[refused]]
    assert all("key_points" in request["messages"][0]["content"] for request in asked.requests[1:])


async def test_a_server_that_refuses_every_form_is_not_asked_for_ever(model: tuple[Model, OpenAiEndpoint]) -> None:
    """Three forms, three requests, a reason."""
    asked, endpoint = model
    asked.statuses = [400] * 9
    with pytest.raises(SummaryError) as failure:
        await ChatSummarizer(endpoint, "gpt").summarize(segments(2), None)
    assert (failure.value.code, len(asked.requests)) == ("summary.engine_refused", 3)
