"""The rule that holds of every recording, whatever happened to it; each test of a fault calls this.

Speech that was spoken and is not in the file lies in a declared gap, a gap holds no true speech, nobody pays for what
the file lacks, the session has ended once, the file is as long as the session's clock says, the receipt balances, and
no token is in a log or in the storage.
"""

import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.support.rules.bill import assert_balances
from tests.support.running.file_tree import contents_below
from tests.support.running.stack import Stack
from tests.support.talkers.slots import Sent, SlotTalker, Truth, compare

LENGTH_MS = 50  # the file may be so much longer or shorter than the session's clock
_TERMINAL = ("ended", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the API says of a session that is over, and its file.

    Attributes:
        samples: of the first channel, shape (n,).
    """

    session: dict[str, Any]
    recording: dict[str, Any]
    bill: list[dict[str, Any]]
    receipt: dict[str, Any]
    timeline: list[dict[str, Any]]
    path: Path
    samples: NDArray[np.int16]

    @classmethod
    async def gather(cls, stack: Stack, session_id: str, folder: Path) -> Self:
        """Ask for all of it, as a customer would; the file goes into `folder`."""
        session = await stack.get(session_id)
        _, recording = await stack.call("GET", f"/v1/sessions/{session_id}/recording")
        _, bill = await stack.call("GET", f"/v1/usage/events?session_id={session_id}&limit=100")
        _, receipt = await stack.call("GET", f"/v1/sessions/{session_id}/receipt")
        _, timeline = await stack.call("GET", f"/v1/sessions/{session_id}/timeline")
        path = await stack.download(session_id, folder / f"{session_id}.wav")
        samples: NDArray[np.int16] = soundfile.read(path, dtype="int16", always_2d=True)[0][:, 0]
        return cls(session, recording, bill["data"], receipt, timeline["data"], path, samples)

    @property
    def clock_ms(self) -> float:
        """How long the session was, by its own stamps."""
        span = datetime.fromisoformat(self.session["ending_at"]) - datetime.fromisoformat(self.session["started_at"])
        return span.total_seconds() * 1000

    def truth_of(self, talker: SlotTalker) -> Truth:
        """How the recording compares with what was spoken."""
        sent = since_start(talker.sent, self.session)
        identity = talker.room.local_participant.identity
        return compare(self.samples, talker.voice, sent, self.recording["gaps"], talker.torn, identity=identity)


async def assert_never_silently_wrong(
    stack: Stack, session_id: str, talkers: Sequence[SlotTalker], folder: Path, secrets: Sequence[str] = ()
) -> dict[str, Truth]:
    """Check a session that is over; `pauses` are none.

    Args:
        folder: for the file.
        secrets: that must be in no file of the stack: logs, spool, objects.

    Returns:
        By each talker's identity, how the recording compares with what was spoken; of several with one identity, who
        came one after the other, the last one's.
    """
    evidence = await Evidence.gather(stack, session_id, folder)
    truths = [(talker.room.local_participant.identity, evidence.truth_of(talker)) for talker in talkers]
    for identity, truth in truths:
        told = f"{truth}, {evidence.recording['gaps']}"
        assert truth.undeclared == [], f"{identity} is silent where no gap says so: {told}"
        assert truth.false == [], f"{identity} is heard where a gap says that nothing true is: {told}"
    _assert_opens(evidence)
    assert_balances(evidence.bill, evidence.session, evidence.recording)
    assert evidence.receipt["balances"], evidence.receipt["imbalances"]
    ends = [move for move in evidence.timeline if move["status_to"] in _TERMINAL]
    assert len(ends) == 1, ends
    _assert_kept_secret(stack.folder, secrets)
    return dict(truths)


def since_start(sent: Sequence[Sent], session: Mapping[str, Any]) -> list[Sent]:
    """The same slots, in seconds since the session started."""
    started = datetime.fromisoformat(session["started_at"]).timestamp()
    return [Sent(slot.number, slot.at - started) for slot in sent]


def _assert_opens(evidence: Evidence) -> None:
    """Both readers find as much, and as the session's clock says."""
    with wave.open(str(evidence.path)) as read:
        frames, rate = read.getnframes(), read.getframerate()
    assert frames == len(evidence.samples)
    assert abs(frames * 1000 / rate - evidence.clock_ms) <= LENGTH_MS


def _assert_kept_secret(folder: Path, secrets: Sequence[str]) -> None:
    for path, content in contents_below(folder):
        for secret in secrets:
            assert secret.encode() not in content, f"a secret is in {path}"
