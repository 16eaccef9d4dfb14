"""`parley listen`, `parley trigger`, `parley events tail`: a receiver on this machine that misses nothing."""

import asyncio
import itertools
import json
import random
import re
import signal
from asyncio.subprocess import Process
from collections.abc import Callable

from tests.support.network.cutting_relay import cutting_relay
from tests.support.network.webhook_listener import WebhookListener, webhook_listener
from tests.support.running.api_server import ApiServer
from tests.support.running.customer_shell import CustomerShell


async def test_a_reader_that_is_cut_off_again_and_again_misses_nothing(api: ApiServer, shell: CustomerShell) -> None:
    """Each event is posted once, in order, signed, with the very bytes of the list."""
    async with cutting_relay() as relay, webhook_listener() as receiver:
        relay.target = api.base_url
        shell.set(PARLEY_URL=relay.url)
        listen = await _listening(shell, receiver)
        await asyncio.sleep(0.2)
        cuts = relay.cut()  # before it has seen an event
        for number in range(15):
            session = await api.create(f"room-{number}")
            await api.call("POST", f"/v1/sessions/{session['id']}/end")
            await asyncio.sleep(random.uniform(0, 0.04))
            cuts += relay.cut()
        written = await _events(api)
        await _until(lambda: len(receiver.bodies) >= len(written))
        await _interrupt(listen)
    assert [json.loads(body)["id"] for body in receiver.bodies] == [json.loads(body)["id"] for body in written]
    assert receiver.bodies == written
    assert receiver.ids == [json.loads(body)["id"] for body in written]
    assert receiver.refused == 0
    assert cuts >= 5


async def test_a_later_run_goes_on_where_an_earlier_one_stopped(api: ApiServer, shell: CustomerShell) -> None:
    """It says the cursor when it is interrupted in the middle; a filter leaves out the rest, and nothing else."""
    await api.create("zero")
    cursor = json.loads((await _events(api))[0])["cursor"]
    ids = [(await api.create(room))["id"] for room in ("one", "two", "three")]
    async with webhook_listener() as receiver:
        receiver.most = 1
        listen = await _listening(shell, receiver, "--types", "session.created", "--after", cursor)
        async with asyncio.timeout(20):
            await receiver.held.wait()
        said = await _interrupt(listen)
        goes_on = re.search(r"--after (evc_\w+) goes on", said)
        assert goes_on is not None
        receiver.most = None
        listen = await _listening(shell, receiver, "--types", "session.created", "--after", goes_on[1])
        await _until(lambda: len(receiver.bodies) == 3)
        await _interrupt(listen)
    events = [json.loads(body) for body in receiver.bodies]
    assert [event["type"] for event in events] == ["session.created"] * 3
    assert [event["session_id"] for event in events] == ids


async def test_a_receiver_that_is_started_again_gets_what_happened_meanwhile(
    api: ApiServer, shell: CustomerShell
) -> None:
    """What it answers is shown, with the beginning of its text."""
    async with webhook_listener() as receiver:
        port = int(receiver.url.rsplit(":", 1)[1].removesuffix("/hook"))
        listen = await _listening(shell, receiver, "--json", "--types", "session.created")
        receiver.status = 500
        await api.create("one")
        assert listen.stdout is not None
        answer = json.loads(await asyncio.wait_for(listen.stdout.readline(), 20))
        assert (answer["status"], answer["said"]) == (500, "the receiver is broken")
    await api.create("two")
    await asyncio.sleep(0.2)
    async with webhook_listener(port) as again:
        again.secret = receiver.secret
        taken = json.loads(await asyncio.wait_for(listen.stdout.readline(), 20))
        said = await _interrupt(listen)
    assert "waiting for it" in said
    assert (taken["status"], len(again.bodies)) == (200, 1)


async def test_trigger_posts_an_example_to_whoever_listens_here(api: ApiServer, shell: CustomerShell) -> None:
    """Signed with the same secret; its exit code says whether it was taken."""
    nobody = await shell.run("trigger", "session.ended")
    assert (nobody.exit_code, "nobody listens here" in nobody.err) == (1, True)
    async with webhook_listener() as receiver:
        listen = await _listening(shell, receiver)
        taken = await shell.run("trigger", "session.ended")
        assert (taken.exit_code, taken.err) == (0, "")
        receiver.status = 500
        broken = await shell.run("trigger", "session.failed", "--json")
        assert (broken.exit_code, broken.documents[0]["status"]) == (1, 500)
        assert [json.loads(body)["type"] for body in receiver.bodies] == ["session.ended", "session.failed"]
        unknown = await shell.run("trigger", "session.flown")
        assert (unknown.exit_code, "session.ended" in unknown.err) == (2, True)
        await _interrupt(listen)
        assert (await shell.run("trigger", "session.ended")).exit_code == 1
        (shell.home / "secret").write_text(receiver.secret)
        receiver.status = 204
        direct = await shell.run("trigger", "session.ended", "--forward-to", receiver.url, "--secret-file", "secret")
        assert direct.exit_code == 0
        unsigned = await shell.run("trigger", "session.ended", "--forward-to", receiver.url)
        assert (unsigned.exit_code, receiver.refused) == (1, 1)


async def test_events_tail_prints_the_bodies_as_they_are(api: ApiServer, shell: CustomerShell) -> None:
    """A line each with `--json`, though every connection breaks in the middle of what it brings."""
    for number in range(4):
        session = await api.create(f"room-{number}")
    [first, *_] = await _events(api)
    cursor = json.loads(first)["cursor"]
    async with cutting_relay() as relay:
        relay.target, relay.cut_bytes = api.base_url, 3 * len(first)
        shell.set(PARLEY_URL=relay.url)
        tail = await shell.start("events", "tail", "--json", "--after", cursor)
        await api.call("POST", f"/v1/sessions/{session['id']}/end")
        written = (await _events(api))[1:]
        assert tail.stdout is not None
        async with asyncio.timeout(20):
            assert [(await tail.stdout.readline()).rstrip(b"\n") for _ in written] == written
        await _interrupt(tail)
    assert relay.connections > 3
    shell.set(PARLEY_URL=api.base_url)
    for_people = await shell.start("events", "tail", "--after", cursor, "--types", "session.canceled")
    assert for_people.stdout is not None
    line = (await asyncio.wait_for(for_people.stdout.readline(), 20)).decode()
    assert line.split()[1:3] == ["session.canceled", session["id"]]
    await _interrupt(for_people)


async def test_what_can_not_work_ends_at_once(shell: CustomerShell) -> None:
    """A wrong filter, cursor, URL, secret or key is not tried again."""
    forward = ("listen", "--forward-to", "http://127.0.0.1:1/hook")
    assert (await shell.run("listen", "--forward-to", "localhost:3000")).exit_code == 2
    (shell.home / "secret").write_text("hunter2")
    assert (await shell.run(*forward, "--secret-file", "secret")).exit_code == 2
    wrong_type = await shell.run(*forward, "--types", "session.flown")
    assert (wrong_type.exit_code, "parameter.invalid" in wrong_type.err) == (1, True)
    for command in (forward, ("events", "tail")):
        wrong_cursor = await shell.run(*command, "--after", "evc_x")
        assert (wrong_cursor.exit_code, "goes on from here" in wrong_cursor.err) == (1, False)
    shell.set(PARLEY_KEY="parley_master_" + "x" * 43)
    assert (await shell.run(*forward)).exit_code == 4


async def _listening(shell: CustomerShell, receiver: WebhookListener, *arguments: str) -> Process:
    """`parley listen` once it has said its secret and is connected."""
    process = await shell.start("listen", "--forward-to", receiver.url, *arguments)
    assert process.stderr is not None
    async with asyncio.timeout(20):
        said = (await process.stderr.readline()).decode()
        secret = re.search(r"whsec_\S+", said)
        assert secret is not None, said
        receiver.secret = secret[0]
        assert (await process.stderr.readline()).startswith(b"following events")
    return process


async def _interrupt(process: Process) -> str:
    """Ctrl-C; what it still said."""
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err.decode()
    return err.decode()


async def _events(api: ApiServer) -> list[bytes]:
    """The bodies that the list serves, byte for byte."""
    reply = await api.call("GET", "/v1/events?limit=500")
    decoder, text = json.JSONDecoder(), reply.body.decode()
    position, bodies = text.index("[") + 1, []
    while text[position] != "]":
        _, end = decoder.raw_decode(text, position)
        bodies.append(text[position:end].encode())
        position = end + (text[end] == ",")
    return bodies


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        for _ in itertools.takewhile(lambda _: not holds(), itertools.count()):
            await asyncio.sleep(0.02)
