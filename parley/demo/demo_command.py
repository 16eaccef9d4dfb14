"""`parley demo`: the whole story on one machine, and a verdict on the file."""

import asyncio
import io
import os
import secrets as random
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import soundfile

from audio.building.waveform import draw_waveform
from parley.client.api_client import Resource
from parley.command_error import CommandError
from parley.demo.customer import Customer, connected_customer
from parley.demo.script import TALKERS, duration_ms
from parley.demo.talkers import Talkers, joined_talkers
from parley.demo.turn_finding import Finding
from parley.demo.verdict import judge
from parley.installation import secrets
from parley.installation.settings_loading import load_settings
from parley.installation.worker_tokens import participant_token, recorder_token
from parley.servers.local_stack import LocalStack, die_with_make, interrupt_on_sigterm
from parley.terminal.live_line import LiveLine

_WAVEFORM_COLUMNS = 72
_FINISH_SECONDS = 60
_TRANSCRIPT_SECONDS = 20
_EXIT_WRONG = 1
_EXIT_INTERRUPTED = 130
_KEPT_VARIABLES = ("PARLEY_LIVEKIT_SERVER", "PARLEY_LOG_LEVEL")


def run_demo() -> int:
    """Returns 0 if the recording is right, 1 if it is not.

    Raises:
        CommandError: the conversation could not be recorded to its end.
    """
    die_with_make()
    interrupt_on_sigterm()
    settings = load_settings()
    data_dir = settings.data_dir.absolute() / "demo"
    key = secrets.new_master_key().get_secret_value()
    stack = LocalStack(
        data_dir,
        _environment(key),
        livekit_binary=settings.livekit_server,
        logs=data_dir / "logs",
        progress=lambda line: _step(f"starting {line}" if line.endswith("…") else line),
        stop_seconds=4,
    )
    try:
        with stack:
            return asyncio.run(_tell(stack, key))
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.")
        return _EXIT_INTERRUPTED


def _environment(key: str) -> dict[str, str]:
    """The demo is the same for everybody: only what belongs to this machine is taken from the user's settings."""
    taken = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return taken | {
        **kept,
        "PARLEY_MASTER_KEY": key,
        "PARLEY_API_PORT": "0",
        "PARLEY_WORKER_PORT": "0",
        "PARLEY_ALLOW_PRIVATE_HOSTS": "true",
        "PARLEY_HEARTBEAT_SECONDS": "1",
        "PARLEY_STALLED_SECONDS": "5",
        "PARLEY_PROCESSES": "1",
        "PARLEY_GRACE_SECONDS": "0",
    }


async def _tell(stack: LocalStack, key: str) -> int:
    room = f"demo-{random.token_hex(4)}"
    livekit = stack.livekit
    tokens = {who: participant_token(livekit.api_key, livekit.api_secret, room, who, who.title()) for who in TALKERS}
    async with (
        connected_customer(stack.api_url, key) as customer,
        joined_talkers(livekit.url, tokens, stack.data_dir / "logs" / "talkers.log") as talkers,
    ):
        _step(f"{' and '.join(TALKERS)} are in the room {room!r}")
        session = await customer.create(
            {
                "type": "livekit",
                "url": livekit.url,
                "room_name": room,
                "worker_token": recorder_token(livekit.api_key, livekit.api_secret, room),
            }
        )
        _step(f"created {session['id']}: {session['status']}")
        created = time.monotonic()
        session = await customer.wait(session["id"], "running")
        if session["status"] != "running":
            raise CommandError(f"the session is {session['status']}: {session['error'] or session['end_reason']}")
        _step(f"running after {(time.monotonic() - created) * 1000:.0f} ms; they talk")
        talking_at = await _watch(stack, customer, session["id"], talkers)
        await customer.end(session["id"])
        _step("end asked for; waiting for the file")
        session = await _terminal(customer, session["id"])
    async with connected_customer(stack.api_url, key) as customer:
        return await _report(stack, customer, session, talking_at)


async def _watch(stack: LocalStack, customer: Customer, session_id: str, talkers: Talkers) -> float:
    """Show what a customer can see, as long as they talk; returns when that began."""
    talking_at = await talkers.talk()
    line = LiveLine()
    async with asyncio.TaskGroup() as group:
        show = group.create_task(_show(stack, customer, session_id, line), name="show")
        await talkers.finished(duration_ms() / 1000 + 10)
        show.cancel()
    line.end()
    return talking_at


async def _show(stack: LocalStack, customer: Customer, session_id: str, line: LiveLine) -> None:
    while True:
        stack.check()
        session, recording = await customer.get(session_id), await customer.recording(session_id)
        line.show(session, recording["current_peak_dbfs"])
        await asyncio.sleep(0.5)


async def _terminal(customer: Customer, session_id: str) -> Resource:
    deadline = time.monotonic() + _FINISH_SECONDS
    while True:
        session = await customer.wait(session_id, "terminal")
        if session["finished_at"] is not None:
            return session
        if time.monotonic() > deadline:
            raise CommandError(f"the session is still {session['status']} after {_FINISH_SECONDS} s")


async def _report(stack: LocalStack, customer: Customer, session: Resource, talking_at: float) -> int:
    session_id = session["id"]
    timeline = await customer.timeline(session_id)
    print("\nTimeline")
    begin = datetime.fromisoformat(timeline[0]["occurred_at"])
    for move in timeline:
        after = (datetime.fromisoformat(move["occurred_at"]) - begin).total_seconds()
        print(f"  {after:7.3f} s  {move['status_to']:<9} {move['code'] or ''}".rstrip())
    await _print_bill(customer, session_id)
    wav = await customer.audio(session_id)
    print("\nconversation.wav")
    with soundfile.SoundFile(io.BytesIO(wav)) as opened:
        for drawn in draw_waveform(opened, columns=_WAVEFORM_COLUMNS, rows=2):
            print(f"  {drawn}".rstrip())
    checks, findings = judge(session, await customer.recording(session_id), wav, talking_at)
    _print_turns(findings)
    await _print_transcript(customer, session_id)
    print()
    for check in checks:
        print(f"  {'✓' if check.holds else '✗'} {check.statement}")
    print(f"\n{_where(stack, session_id)}")
    right = all(check.holds for check in checks)
    print("The recording is right." if right else "The recording is NOT right.", flush=True)
    return 0 if right else _EXIT_WRONG


def _print_turns(findings: Sequence[Finding]) -> None:
    print("\nTurns: when each was spoken, and where its sound is found in the file")
    print("(a little later, as encoding and the way take time; not quite alike, as LiveKit's codec loses some of it)")
    for finding in findings:
        if finding.delay_ms is None:
            found = "not found"
        else:
            direction = "later" if finding.delay_ms >= 0 else "earlier"
            found = f"{abs(finding.delay_ms):.0f} ms {direction}, {finding.likeness:.0%} alike"
        print(f"  {finding.expected_ms / 1000:6.2f} s  {finding.turn.who:<6} {found}")


async def _print_bill(customer: Customer, session_id: str) -> None:
    print("\nBill")
    for row in await customer.bill(session_id):
        print(f"  {row['kind']:<8} {row['from_ms']:>6} … {row['to_ms']:<6} ms  {row['credits']:>7} credits")
    receipt = await customer.receipt(session_id)
    billed = receipt["billed"]
    counted, given_back, paid = (billed[name] / 1000 for name in ("counted_ms", "credited_ms", "milliseconds"))
    print(f"  counted {counted:.3f} s, given back {given_back:.3f} s, to be paid {paid:.3f} s")
    right = "right" if receipt["balances"] else f"WRONG: {'; '.join(receipt['imbalances'])}"
    print(
        f"  the session's clock: {receipt['clock']['milliseconds'] / 1000:.3f} s; computed again, the bill is {right}"
    )


async def _print_transcript(customer: Customer, session_id: str) -> None:
    """What was understood: no part of the verdict, for the embedded engine hears roughly."""
    deadline = time.monotonic() + _TRANSCRIPT_SECONDS
    transcript = await customer.transcript(session_id)
    while transcript["status"] == "pending" and time.monotonic() < deadline:
        await asyncio.sleep(0.25)
        transcript = await customer.transcript(session_id)
    engine = transcript["engine"] or "nobody"
    heard = f"by {engine}, the embedded engine, which hears synthetic voices roughly"
    late = f"not there after {_TRANSCRIPT_SECONDS} s: speech waits for whatever else this machine does"
    print(f"\nTranscript ({late if transcript['status'] == 'pending' else heard})")
    for segment in transcript["segments"]:
        print(f"  {segment['start_ms'] / 1000:6.2f} s  {segment['identity']:<6} {segment['text']}")


def _where(stack: LocalStack, session_id: str) -> Path:
    [wav] = (stack.data_dir / "objects" / "sessions" / session_id).glob("recording/*/conversation.wav")
    return wav


_began = time.monotonic()


def _step(text: str) -> None:
    print(f"{time.monotonic() - _began:6.1f} s  {text}", flush=True)
