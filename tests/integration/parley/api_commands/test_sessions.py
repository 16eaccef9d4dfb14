"""`parley sessions`: against the real API."""

import asyncio
import signal

import jwt
import pytest

from tests.support.running.api_server import ROOM_URL, ApiServer, worker_token
from tests.support.running.customer_shell import CustomerShell


async def test_create_prints_the_id_and_list_get_and_end_find_it(api: ApiServer, shell: CustomerShell) -> None:
    """The id is all of stdout, so that a script can keep it."""
    created = await shell.run(
        *("sessions", "create", "--url", ROOM_URL, "--room", "call-7", "--token", worker_token("call-7")),
        *("--title", "Refund", "--tag", "a", "--tag", "b", "--metadata", "ticket=4711", "--customer", "acme"),
        *("--max-duration-seconds", "60", "--layout", "stereo", "--format", "opus", "--tracks", "--language", "en"),
    )
    assert created.exit_code == 0, created.err
    session_id = created.out.strip()
    stored = (await api.call("GET", f"/v1/sessions/{session_id}")).content
    assert (stored["title"], stored["tags"], stored["metadata"]) == ("Refund", ["a", "b"], {"ticket": "4711"})
    assert (stored["external_customer_id"], stored["max_duration_seconds"]) == ("acme", 60)
    assert stored["recording"] == {"layout": "stereo", "on_pause": "silence", "formats": ["opus"], "tracks": True}
    assert stored["transcription"]["language"] == "en"
    listed = await shell.run("sessions", "list", "--status", "active", "--tag", "a")
    assert listed.out.split() == [session_id, "queued", stored["created_at"], "call-7", "Refund"]
    shown = await shell.run("sessions", "get", session_id)
    assert "ticket=4711" in shown.out
    ended = await shell.run("sessions", "end", session_id, "--wait", "--json")
    assert ended.documents[0]["status"] == "canceled"  # it never ran
    assert ended.exit_code == 6
    assert (await shell.run("sessions", "list", "--status", "active")).err == "no sessions\n"


async def test_a_token_is_minted_from_the_environment_or_a_file_and_the_secret_stays_here(
    api: ApiServer, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As LiveKit's own tools read it; nothing that is printed or sent holds the secret."""
    secret = "a-secret-of-livekit-which-is-long-enough"
    sent: list[str] = []

    def spied(*arguments: str) -> str:
        sent.append(minted(*arguments))
        return sent[-1]

    from parley.installation import worker_tokens

    minted = worker_tokens.recorder_token
    monkeypatch.setattr(worker_tokens, "recorder_token", spied)
    shell.set(LIVEKIT_URL=ROOM_URL, LIVEKIT_API_KEY="APIkey", LIVEKIT_API_SECRET=secret)
    from_environment = await shell.run("sessions", "create", "--room", "one", "--json")
    assert from_environment.documents[0]["transport"]["worker_identity"] == "parley-recorder"
    shell.set(LIVEKIT_API_SECRET=None)
    (shell.home / "secret").write_text(secret + "\n")
    from_file = await shell.run(
        *("sessions", "create", "--room", "two", "--livekit-secret-file", "secret", "--identity", "ear", "--json")
    )
    assert from_file.documents[0]["transport"]["worker_identity"] == "ear"
    grants = [jwt.decode(token, secret, algorithms=["HS256"])["video"] for token in sent]
    assert [grant["room"] for grant in grants] == ["one", "two"]
    assert secret not in from_environment.out + from_environment.err + from_file.out + from_file.err
    missing = await shell.run("sessions", "create", "--room", "three")
    assert (missing.exit_code, "--livekit-secret-file" in missing.err) == (2, True)


async def test_the_same_idempotency_key_makes_one_session(shell: CustomerShell) -> None:
    """A job that runs again records once."""
    line = ("sessions", "create", "--url", ROOM_URL, "--room", "r", "--idempotency-key", "job-1", "--token")
    token = worker_token("r")
    first, again = [await shell.run(*line, token) for _ in range(2)]
    assert first.out == again.out != ""


async def test_list_reads_as_many_pages_as_are_asked_for(
    api: ApiServer, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document per line, newest first, each session once."""
    monkeypatch.setattr("parley.client.sessions.LONGEST_PAGE", 2)
    ids = [(await api.create(f"room-{number}"))["id"] for number in range(5)]
    listed = await shell.run("sessions", "list", "--all", "--json")
    assert [session["id"] for session in listed.documents] == ids[::-1]
    some = await shell.run("sessions", "list", "--limit", "3", "--json")
    assert [session["id"] for session in some.documents] == ids[:1:-1]


async def test_errors_are_a_code_what_is_wrong_and_what_to_do_and_an_exit_code(shell: CustomerShell) -> None:
    """One line, no traceback, no key."""
    nobody = "sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
    missing = await shell.run("sessions", "get", nobody)
    assert missing.exit_code == 5
    assert missing.err.startswith("parley: not_found: ")
    assert "in your organization" in missing.err
    assert missing.err.count("\n") == 1
    wrong = await shell.run(
        "sessions", "create", "--url", "http://127.0.0.1", "--room", "r", "--token", worker_token("r")
    )
    assert (wrong.exit_code, wrong.err.split()[1]) == (1, "transport.url_not_allowed:")
    shell.set(PARLEY_KEY="parley_master_" + "x" * 43)
    refused = await shell.run("sessions", "list")
    assert (refused.exit_code, refused.err.split()[1]) == (4, "key.invalid:")
    assert "xxx" not in refused.err
    shell.set(PARLEY_KEY=None)
    unset = await shell.run("sessions", "list")
    assert (unset.exit_code, unset.err) == (4, "parley: set PARLEY_KEY, or run `parley login`\n")


async def test_as_processes_commands_end_with_the_documented_codes(api: ApiServer, shell: CustomerShell) -> None:
    """No traceback for a closed pipe, no network, a foreign server, Ctrl-C."""
    session = await api.create("room")
    fine = await shell.process("sessions", "get", session["id"], "--json")
    assert (fine.exit_code, fine.documents[0]["id"], fine.err) == (0, session["id"], "")
    waiting = await shell.start("sessions", "end", session["id"].lower(), "--wait")
    assert (await waiting.wait()) == 6
    other = await api.create("other")
    tail = await shell.start("sessions", "tail", other["id"])
    assert tail.stdout is not None
    assert b"session.created" in await asyncio.wait_for(tail.stdout.readline(), 20)
    tail.send_signal(signal.SIGINT)
    _, err = await tail.communicate()
    assert (tail.returncode, err) == (130, b"")
    piped = await asyncio.create_subprocess_shell(
        "parley sessions tail $ID | head -n 1; echo ${PIPESTATUS[0]}",
        executable="/bin/bash",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=shell.environment(ID=other["id"]),
    )
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        assert piped.stdout is not None
        assert b"session.created" in await piped.stdout.readline()
        await api.call("POST", f"/v1/sessions/{other['id']}/end")
        out, err = await piped.communicate()
    assert (out.split()[-1], err) == (b"141", b"")
    shell.set(PARLEY_URL="http://127.0.0.1:1")
    away = await shell.process("sessions", "list")
    assert away.exit_code == 3
    assert away.err.startswith("parley: can't reach http://127.0.0.1:1: connection refused.")
    shell.set(PARLEY_URL=f"{api.base_url}/elsewhere")
    assert (await shell.process("sessions", "list")).exit_code == 5
