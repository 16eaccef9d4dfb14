"""Whatever participants call themselves and what they send, the session records, ends and is billed."""

import asyncio
import secrets

from livekit import api as livekit_api
from livekit import rtc

from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import BeepPlan, BeepTalker
from tests.support.talkers.slots import SlotTalker, SlotVoice


async def test_names_and_ids_that_postgresql_cannot_keep_cost_nothing(stack: Stack, room: str) -> None:
    """NUL in identities, the name, the texts and their ids, and an id too long for an index: all is recorded, and a gap
    of somebody with such an identity, who encrypts, is named."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_SPEECH_ENGINE="none")

    def token(identity: str, name: str) -> str:
        granted = livekit_api.AccessToken(stack.livekit.api_key, stack.livekit.api_secret)
        grants = livekit_api.VideoGrants(room_join=True, room=room)
        return granted.with_identity(identity).with_name(name).with_grants(grants).to_jwt()

    eve = SlotTalker(stack.livekit.url, token("e\0ve", "Eve"), SlotVoice(1))
    eve.encryption = rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=b"known to eve alone"))
    ann_token = token("a\0nn", "A\0nn \U0001f600")
    async with eve, BeepTalker(stack.livekit.url, ann_token, BeepPlan(pitch_hz=600)) as talker:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        ann = talker.room.local_participant
        await ann.send_text("Tea\0, please.", topic="lk.chat")
        for words, segment_id in (("Green\0 tea.", "s\0"), ("Hot.", secrets.token_hex(4000)), ("Now.", "s")):
            writer = await ann.stream_text(
                topic="lk.transcription", attributes={"lk.segment_id": segment_id, "lk.transcription_final": "true"}
            )
            await writer.write(words)
            await writer.aclose()

        async def logged() -> bool:
            _, transcript = await stack.call("GET", f"/v1/sessions/{session['id']}/transcript")
            return len(transcript["segments"]) == 4

        await eventually(logged, what="everything is in the log")
        await asyncio.sleep(1)
        ended = await stack.end(session["id"])
    assert (ended["status"], ended["epoch"]) == ("ended", 1)
    _, transcript = await stack.call("GET", f"/v1/sessions/{session['id']}/transcript")
    said = {(one["identity"], one["speaker"], one["text"]) for one in transcript["segments"]}
    texts = ("Tea\ufffd, please.", "Green\ufffd tea.", "Hot.", "Now.")
    assert said == {("a\ufffdnn", "A\ufffdnn \U0001f600", text) for text in texts}
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert [track["identity"] for track in recording["tracks"]] == ["a\ufffdnn"]
    assert "e\ufffdve" in {gap["identity"] for gap in recording["gaps"] if gap["code"] == "gap.encrypted"}
    assert "session.crashed" not in worker.log()
