"""`parley sessions tail`: a session as it goes on: its events, what is said and written, its state and level."""

import argparse
import asyncio
import time

from parley.api_commands.event_words import local_time
from parley.api_commands.running import with_api
from parley.api_commands.waiting import told
from parley.client.api_client import ApiClient, Resource
from parley.client.sessions import is_terminal, rows_after, session_path
from parley.terminal.live_line import LiveLine
from parley.terminal.printing import print_json_line
from parley.terminal.visible import visible

_POLL_SECONDS = 1.0
_TRANSCRIPT_SHARE = 0.05  # of the time: what a long session's transcript takes to read decides how often it is read
_TRANSCRIPT_SECONDS = 2.0
_RECOGNITION_SECONDS = 300.0  # after the end; then the user may look again by herself


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
        self._event_seq = 0
        self._spoken: set[int] = set()
        self._transcript_at = 0.0
        self._over_at: float | None = None

    async def follow(self) -> None:
        try:
            while True:
                if await self._turn():
                    return
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            self._line.end()

    async def _turn(self) -> bool:
        """Read everything once; True if no more will come."""
        session = await self._api.ask("GET", session_path(self._session_id), patient=True)
        over = is_terminal(session)
        if over and self._over_at is None:
            self._over_at = time.monotonic()
        await self._events()
        transcript_is_whole = False
        if over or time.monotonic() >= self._transcript_at:
            transcript_is_whole = await self._transcript()
        if over:
            assert self._over_at is not None
            late = time.monotonic() > self._over_at + _RECOGNITION_SECONDS
            if transcript_is_whole or late:
                self._last_words(session, transcript_is_whole)
                return True
        await self._show(session)
        return False

    async def _events(self) -> None:
        path = session_path(self._session_id, "/events")
        async for event in rows_after(self._api, path, self._event_seq, patient=True):
            self._event_seq = event["seq"]
            self._print(event, f"{local_time(event['occurred_at'])}  {_event_words(event)}")

    async def _transcript(self) -> bool:
        began = time.monotonic()
        path = session_path(self._session_id, "/transcript")
        transcript = await self._api.ask("GET", path, patient=True)
        for segment in transcript["segments"]:
            if segment["final"] and segment["seq"] not in self._spoken:
                self._spoken.add(segment["seq"])
                document = {"object": "transcript_segment", "session_id": transcript["session_id"], **segment}
                self._print(document, f"{segment['start_ms'] / 1000:6.1f} s  {_said(segment)}")
        took = time.monotonic() - began
        self._transcript_at = time.monotonic() + max(_TRANSCRIPT_SECONDS, took / _TRANSCRIPT_SHARE)
        return transcript["status"] not in ("open", "pending")

    async def _show(self, session: Resource) -> None:
        if self._as_json or not self._line.rewrites:
            return
        recording = await self._api.ask("GET", session_path(self._session_id, "/recording"), patient=True)
        self._line.show(session, recording)

    def _last_words(self, session: Resource, transcript_is_whole: bool) -> None:
        late = "" if transcript_is_whole else "; its transcript is not complete yet"
        if not self._as_json:
            self._line.clear()
            print(f"{session['id']}: {visible(told(session))}{late}", flush=True)

    def _print(self, document: Resource, line: str) -> None:
        if self._as_json:
            print_json_line(document)
        else:
            self._line.clear()
            print(visible(line), flush=True)


def _event_words(event: Resource) -> str:
    words = [f"{event['type']:<20}"]
    if event["status_to"] is not None:
        words.append(f"{event['status_from']} → {event['status_to']}" if event["status_from"] else event["status_to"])
    if event["code"] is not None:
        words.append(event["code"])
    return "  ".join(words).rstrip()


def _said(segment: Resource) -> str:
    who = segment["speaker"] or segment["identity"] or segment["role"]
    return f"{who}: {segment['text'] if segment['text'] is not None else '(not understood)'}"
