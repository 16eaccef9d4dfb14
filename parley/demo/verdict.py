"""Whether the demo's recording is right: every check by name, with what was expected and what is there."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import soundfile

from parley.demo.script import TALKERS, turns
from parley.demo.turn_finding import Finding, find_turns
from sessions.codes import lookup

_LENGTH_TOLERANCE_MS = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """One statement about the file, and whether it holds."""

    holds: bool
    statement: str


def judge(
    session: dict[str, Any], recording: dict[str, Any], wav: bytes, talking_at: float
) -> tuple[list[Check], list[Finding]]:
    """Compare `conversation.wav` with what the session and the talkers say.

    Args:
        session: the terminal session resource.
        recording: the recording resource.
        wav: the file's bytes.
        talking_at: Unix time of the conversation's first sample.
    """
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16", always_2d=True)
    started_at, ending_at = (datetime.fromisoformat(session[name]) for name in ("started_at", "ending_at"))
    asked_ms = (ending_at - started_at).total_seconds() * 1000
    file_ms = len(samples) * 1000 / rate
    findings = find_turns(samples[:, 0], rate, turns(), (talking_at - started_at.timestamp()) * 1000)
    checks = [
        Check(session["status"] == "ended", f"the session is {session['status']}"),
        Check(recording["state"] == "available", f"its recording is {recording['state']}"),
        Check(
            hashlib.sha256(wav).hexdigest() == recording["sha256"],
            f"the file is the one whose SHA-256 the API names, {recording['sha256'][:16]}…",
        ),
        Check(
            abs(file_ms - asked_ms) <= _LENGTH_TOLERANCE_MS,
            f"the file is {file_ms / 1000:.3f} s long; the session ran for {asked_ms / 1000:.3f} s",
        ),
        *(_heard(findings, who) for who in TALKERS),
        _gapless(recording["gaps"]),
    ]
    return checks, findings


def _heard(findings: Sequence[Finding], who: str) -> Check:
    said = [finding for finding in findings if finding.turn.who == who]
    there = sum(finding.is_there for finding in said)
    likeness = sum(finding.likeness for finding in said) / len(said)
    statement = f"{who}: {there} of {len(said)} turns are where they were spoken, and sound {likeness:.0%} alike"
    return Check(there == len(said), statement)


def _gapless(gaps: Sequence[dict[str, Any]]) -> Check:
    ours = [gap for gap in gaps if lookup(gap["code"]).fault == "platform"]
    return Check(not ours, f"{len(ours)} gaps in it are Parley's fault, {len(gaps) - len(ours)} are not")
