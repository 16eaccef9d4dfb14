"""`parley sessions tail`: a session as it goes on: its events, what is said and written, its state and level.

All of it comes by one stream. Words and levels are no events of the log, so after each interruption, and at the end,
the transcript says what was missed. A terminal has a line that tells how it is doing.
"""

import argparse
import asyncio
import json
from contextlib import aclosing

from parley.api_commands.event_words import local_time, tells
from parley.api_commands.session_end import told
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient, Resource
from parley.client.event_stream import EventStream
from parley.client.sessions import session_path
from parley.terminal.live_line import LiveLine
from parley.terminal.printing import json_line, say
from parley.terminal.visible import visible

_RECOGNITION_SECONDS = 300.0  # after the end; then the user may look again by herself
_LIVE, _SEGMENT, _LEVEL = "live.", "live.segment", "live.level"
_DELETED = "session.deleted"
_ENDS = frozenset({"session.ended", "session.failed", "session.canceled", _DELETED})
_FACTS = ("code", "identity", "kind", "expires_at", "billable_ms", "credits")


def run_tail(arguments: argparse.Namespace) -> int:
    """Print until the session is over and its transcript is complete."""

    async def tail(api: ApiClient) -> None:
        await _Tail(api, arguments.session_id, as_json=arguments.json).follow()

    with_api(tail)
    return 0


class _Tail:
    def __init__(self, api: ApiClient, session_id: str, *, as_json: bool) -> None:
        self._api = api
        self._session_id = session_id
        self._as_json = as_json
        self._line = LiveLine()
        self._spoken: set[int] = set()
        self._cursor: str | None = None
        self._last_type: str | None = None
        self._status = ""
        self._begun = asyncio.Event()  # a stream has: what was said before is in the transcript

    async def follow(self) -> None:
        try:
            try:
                async with asyncio.TaskGroup() as group:
                    reading = group.create_task(self._read_transcripts(), name="transcript")
                    await self._events()
                    reading.cancel()
            except ExceptionGroup as group_of_errors:
                raise group_of_errors.exceptions[0] from None
            if self._last_type == _DELETED:
                return
            whole = await self._until_transcribed()
            self._last_words(await self._session(), whole)
        finally:
            self._line.end()

    async def _events(self) -> None:
        """Print what happens, until the session is over."""
        interruptions = _Interruptions()

        def changed(reason: str | None) -> None:
            interruptions.changed(reason)
            if reason is None:
                self._begun.set()

        stream = EventStream(
            self._api,
            path=session_path(self._session_id, "/events/stream"),
            params={"live": "true"},
            changed=changed,
        )
        async with aclosing(stream.events()) as events:
            async for event in events:
                body: Resource = json.loads(event.body)
                if event.type == _SEGMENT:
                    self._say(body)
                elif event.type == _LEVEL:
                    self._show(body)
                elif not event.type.startswith(_LIVE):
                    self._cursor, self._last_type = body["cursor"], body["type"]
                    self._status = body["data"]["session"]["status"]
                    self._print(event.body.decode(), f"{local_time(body['created_at'])}  {_words_of(body)}")
                    if body["type"] in _ENDS:
                        return

    async def _read_transcripts(self) -> None:
        """Print what was said before a stream has begun, each time that one has."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            await self._transcript()

    async def _until_transcribed(self) -> bool:
        """Print the rest of the transcript; whether it is complete."""
        if await self._transcript():
            return True
        params = {"session_id": self._session_id, "types": "transcript.*"}
        stream = EventStream(self._api, params=params, cursor=self._cursor, changed=_Interruptions().changed)
        try:
            async with asyncio.timeout(_RECOGNITION_SECONDS), aclosing(stream.events()) as events:
                async for _ in events:
                    break
        except TimeoutError:
            pass
        return await self._transcript()

    async def _transcript(self) -> bool:
        """Print what is new in it; whether it is complete."""
        path = session_path(self._session_id, "/transcript")
        transcript = await self._api.ask("GET", path, patient=True)
        for segment in transcript["segments"]:
            self._say({"object": "transcript_segment", "session_id": transcript["session_id"], **segment})
        return transcript["status"] not in ("open", "pending")

    def _say(self, segment: Resource) -> None:
        if segment["final"] and segment["seq"] not in self._spoken:
            self._spoken.add(segment["seq"])
            self._print(json_line(segment), f"{segment['start_ms'] / 1000:6.1f} s  {_said(segment)}")

    def _show(self, level: Resource) -> None:
        if self._line.rewrites and not self._as_json:
            self._line.show({"status": self._status, "usage": level}, level["peak_dbfs"])

    async def _session(self) -> Resource:
        return await self._api.ask("GET", session_path(self._session_id), patient=True)

    def _last_words(self, session: Resource, transcript_is_whole: bool) -> None:
        late = "" if transcript_is_whole else "; its transcript is not complete yet"
        if not self._as_json:
            self._line.clear()
            print(f"{session['id']}: {visible(told(session))}{late}", flush=True)

    def _print(self, document: str, line: str) -> None:
        if self._as_json:
            print(document, flush=True)
        else:
            self._line.clear()
            print(visible(line), flush=True)


class _Interruptions:
    """Says when a stream is interrupted, and when it goes on; nothing of its first beginning."""

    def __init__(self) -> None:
        self._interrupted = False

    def changed(self, reason: str | None) -> None:
        if reason is not None:
            say(f"{reason}; trying again")
        elif self._interrupted:
            say("going on")
        self._interrupted = reason is not None


def _words_of(body: Resource) -> str:
    data, words = body["data"], [f"{body['type']:<20}"]
    if data.get("status_to") is not None:
        words.append(f"{data['status_from']} → {data['status_to']}" if data["status_from"] else data["status_to"])
    words += [str(data[name]) for name in _FACTS if data.get(name) is not None and tells(name, data[name])]
    return "  ".join(words).rstrip()


def _said(segment: Resource) -> str:
    who = segment["speaker"] or segment["identity"] or segment["role"]
    return f"{who}: {segment['text'] if segment['text'] is not None else '(not understood)'}"
