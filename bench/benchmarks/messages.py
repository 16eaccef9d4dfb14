"""From posting a message to the moment a participant in the room has its text, beside a bare participant's send."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.children.line_child import LineChild
from bench.measuring.machine import BusyMeter, describe
from bench.measuring.spread import median, percentile
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import ParleyApi, parley_api, parley_worker
from bench.scenes.rooms import chatter_token, child_argv
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer

_ROOM = "bench-chat"
_WARM_UP = 5
_PAUSE_SECONDS = 0.05  # so that one message is over before the next one
_HEARD_SECONDS = 5.0
_READ_POLL_SECONDS = 0.002
_FLOOR = "a bare participant's send_text"
_CANONICAL = "POST /v1/sessions/{id}/messages"
_DOCUMENT_002 = "POST /api/sessions/{id}/message"
_ANSWERED = f"{_CANONICAL} until its answer"
_BACK = "room chat until GET …/messages has it"


@dataclass(frozen=True, slots=True)
class _Chat:
    """A session that runs, a participant who listens, and one who talks."""

    api: ParleyApi
    session_id: str
    listener: LineChild
    talker: LineChild

    def bare(self, text: str) -> float:
        """Milliseconds from a bare participant's send to the listener."""
        self.talker.send({"text": text})
        heard_at = self._heard(text)
        return 1000 * (heard_at - float(self._of_talker("sent_at")))

    def posted(self, path: str, text: str) -> tuple[float, float]:
        """Milliseconds from a post to the listener, and to its answer."""
        started = time.monotonic()
        answer = self.api.call("POST", path.format(id=self.session_id), {"content": text})
        answered = time.monotonic()
        if answer["status"] != "sent":
            raise RuntimeError(f"a message did not reach the room: {answer}")
        heard_at = self._heard(text)
        self._of_talker("heard")
        return 1000 * (heard_at - started), 1000 * (answered - started)

    def read_back(self, text: str) -> float:
        """Milliseconds from a bare participant's send until the API has it."""
        path = f"/v1/sessions/{self.session_id}"
        after = int(self.api.call("GET", path)["message_count"])
        self.talker.send({"text": text})
        deadline = time.monotonic() + _HEARD_SECONDS
        while not self.api.call("GET", f"{path}/messages?after={after}")["data"]:
            if time.monotonic() > deadline:
                raise RuntimeError("what was said in the room never came back")
            time.sleep(_READ_POLL_SECONDS)
        elapsed_from = time.monotonic()
        self._heard(text)
        return 1000 * (elapsed_from - float(self._of_talker("sent_at")))

    def _heard(self, text: str) -> float:
        line = self.listener.receive(seconds=_HEARD_SECONDS)
        if line["heard"] != text:
            raise RuntimeError(f"heard {line['heard']!r} instead of {text!r}")
        return float(line["at"])

    def _of_talker(self, name: str) -> float | str:
        found: float | str = self.talker.receive(seconds=_HEARD_SECONDS)[name]
        return found


def bench_messages(options: Options) -> None:
    """Run the benchmark."""
    times: dict[str, list[float]] = defaultdict(list)
    with _chat(options) as chat:
        busy = BusyMeter()
        for number, text in enumerate(_texts(_WARM_UP + options.messages)):
            measured = {_FLOOR: _timed(chat.bare, text("floor"))}
            measured[_CANONICAL], measured[_ANSWERED] = chat.posted("/v1/sessions/{id}/messages", text("canonical"))
            time.sleep(_PAUSE_SECONDS)
            measured[_DOCUMENT_002], _ = chat.posted("/api/sessions/{id}/message", text("002"))
            time.sleep(_PAUSE_SECONDS)
            measured[_BACK] = _timed(chat.read_back, text("back"))
            if number >= _WARM_UP:
                for name, value in measured.items():
                    times[name].append(value)
        was_busy = busy.read()
    print_title(f"messages: until the room has it, milliseconds, {options.messages} of each in turn")
    print_note(describe())
    floor = median(times[_FLOOR])
    rows = [
        (
            name,
            *(f"{one:.1f}" for one in (median(found), percentile(found, 95), max(found))),
            f"{median(found) / floor:.1f}",
        )
        for name, found in times.items()
    ]
    print_table(("", "p50", "p95", "max", "p50 / floor"), rows)
    print_note("One session; the listener is a participant of the room, in a process of its own.")
    print_note(f"Machine {was_busy.machine_percent:.0f} % busy, {was_busy.strangers_percent:.0f} % by others.")
    for name in (_CANONICAL, _DOCUMENT_002):
        print_goal(f"{name}, p95 ms", percentile(times[name], 95), at_most=50)


def _timed(measure: Callable[[str], float], text: str) -> float:
    value = measure(text)
    time.sleep(_PAUSE_SECONDS)
    return value


def _texts(count: int) -> Iterator[Callable[[str], str]]:
    for number in range(count):
        yield lambda what, number=number: f"{what} {number}: please go on with what we talked about"  # type: ignore[misc]


@contextlib.contextmanager
def _chat(options: Options) -> Iterator[_Chat]:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(LiveKitServer(find_or_build(print), options.folder / "livekit"))
        url = stack.enter_context(fresh_database(stack.enter_context(postgres(options.database_url, options.folder))))
        api = stack.enter_context(parley_api(url, options.folder))
        stack.enter_context(
            parley_worker(url, options.folder, processes=1, heartbeat_seconds=options.heartbeat_seconds)
        )
        listener, talker = (
            stack.enter_context(_chatter(server, identity, options.folder)) for identity in ("listener", "talker")
        )
        session_id = api.create(server, _ROOM)
        if (session := api.wait(session_id, "running"))["status"] != "running":
            raise RuntimeError(f"the session does not run: {session['status']} {session['error']}")
        yield _Chat(api, session_id, listener, talker)
        api.end(session_id)


@contextlib.contextmanager
def _chatter(server: LiveKitServer, identity: str, folder: Path) -> Iterator[LineChild]:
    with LineChild(child_argv("chatter"), folder / "chatters.log") as child:
        child.ask({"url": server.url, "token": chatter_token(server, _ROOM, identity)})
        yield child
