"""The registry of codes: every word by which Parley says why something stopped, failed or was refused.

`GET /v1/codes` serves it, docs/codes.md is generated from it, and a test forbids a code that is not in it.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["error", "failure", "end", "gap", "credit"]
Fault = Literal["customer", "transport", "platform", "none"]


@dataclass(frozen=True, slots=True)
class Code:
    """One code.

    Attributes:
        code: dotted lower_snake_case.
        kind: `error` answers a request; `failure` and `end` close a session; `gap` explains a hole in a recording,
            `credit` why a bill gives something back that no gap of the recording explains.
        fault: who can change it.
        retryable: whether the same request, or a new session like it, may succeed later unchanged.
        billable: whether proven time of a session that stopped so is billed.
        http_status: of kind `error`, else None.
        help: one sentence that says what to do.
    """

    code: str
    kind: Kind
    fault: Fault
    retryable: bool
    billable: bool
    http_status: int | None
    help: str


NO_MEDIA = "usage.no_media"
NOT_RECORDED = "usage.not_recorded"


def _error(code: str, status: int, help_: str, *, fault: Fault = "customer", retryable: bool = False) -> Code:
    return Code(code, "error", fault, retryable, False, status, help_)


def _failure(code: str, fault: Fault, help_: str, *, retryable: bool = False) -> Code:
    return Code(code, "failure", fault, retryable, True, None, help_)


def _end(code: str, help_: str, *, fault: Fault = "none") -> Code:
    return Code(code, "end", fault, False, True, None, help_)


def _gap(code: str, fault: Fault, help_: str) -> Code:
    return Code(code, "gap", fault, False, False, None, help_)


_ALL = (
    # errors: answers to requests
    _error("body.malformed", 400, "Send one JSON object in UTF-8: no duplicate keys, NaN, NUL or lone surrogates."),
    _error("body.too_large", 413, "Send at most 64 KiB."),
    _error("body.timeout", 408, "Send the whole body within 10 seconds.", retryable=True),
    _error("body.media_type", 415, "Send Content-Type: application/json without a Content-Encoding."),
    _error("request.malformed", 400, "The HTTP request itself could not be read."),
    _error("expectation.unsupported", 400, "Only Expect: 100-continue is understood."),
    _error("not_acceptable", 406, "Ask for a media type that this operation serves."),
    _error("method.not_allowed", 405, "The Allow header lists the methods of this path."),
    _error("not_found", 404, "There is no such path, or no such object in your organization."),
    _error(
        "id.invalid", 400, "Ids are a prefix and 26 characters (sess_01J…), sessions also session_ and 32 hex digits."
    ),
    _error("parameter.unknown", 400, "Leave out query parameters that the operation does not have."),
    _error("parameter.required", 400, "Send the query parameter in `param`."),
    _error("parameter.invalid", 422, "Correct the value of the query parameter in `param`."),
    _error("status.unknown", 400, "Use a session status, or one of the aliases active and terminal."),
    _error("field.unknown", 422, "Leave out body fields that the operation does not have."),
    _error("field.required", 422, "Send the field in `param`."),
    _error("field.invalid", 422, "Correct the value of the field in `param`."),
    _error("key.missing", 401, "Send Authorization: Bearer <API key>."),
    _error(
        "key.invalid",
        401,
        "See whether the key is whole and of this installation; one that was revoked or has expired stays so.",
    ),
    _error(
        "scope.missing",
        403,
        "Use a key with the scope that the message names: a master key can make one.",
    ),
    _error("agent.not_allowed", 403, "The API key is for one agent: name that one, or none."),
    _error(
        "key.outlived",
        403,
        "A key that expires makes and rotates only keys that expire no later: send such an expires_at.",
    ),
    _error(
        "key.replaced",
        403,
        "The API key was rotated and works for its grace period only: manage keys with the new one.",
    ),
    _error("key.not_active", 409, "The API key is revoked or expired: make a new one."),
    _error("key.rotated_before", 409, "The API key was rotated before: rotate the one in its replaced_by."),
    _error(
        "rate_limit.requests",
        429,
        "Too many requests in too short a time: wait as long as Retry-After says. GET /v1/limits shows the limits.",
        retryable=True,
    ),
    _error(
        "rate_limit.creates",
        429,
        "Too many sessions were created in the last minute: wait as long as Retry-After says.",
        retryable=True,
    ),
    _error(
        "rate_limit.messages",
        429,
        "The session was sent too many messages in the last minute: wait as long as Retry-After says.",
        retryable=True,
    ),
    _error(
        "rate_limit.streams",
        429,
        "Too many streams of events are open, with this key or on this server: close some, or filter by type instead.",
        retryable=True,
    ),
    _error(
        "quota.sessions",
        429,
        "The organization has as many sessions as it may: end some, or ask for a higher limit.",
        retryable=True,
    ),
    _error(
        "quota.answers",
        429,
        "Idempotency-Keys keep as many bytes of the organization's answers as they may: send fewer keys, or ask for a"
        " higher limit. They are kept for 24 hours.",
        retryable=True,
    ),
    _error("quota.keys", 402, "The organization has as many valid API keys as it may: revoke some."),
    _error("transport.unsupported", 400, "Use transport.type=livekit."),
    _error(
        "transport.url_not_allowed",
        422,
        "The room's URL must be ws(s) or http(s) to a public address, without userinfo or query.",
    ),
    _error("audio_source.unsupported", 422, "Mint the token without hidden, or use audio_source=track."),
    _error("worker_token.malformed", 422, "Send a LiveKit access token (JWT) with video grants."),
    _error(
        "worker_token.missing_grant",
        422,
        "Mint the token with roomJoin, canSubscribe not false; for data_stream with canPublishData.",
    ),
    _error("worker_token.wrong_room", 422, "The token's room grant must be transport.room_name."),
    _error("worker_token.identity_mismatch", 422, "The token's sub must be transport.worker_identity."),
    _error("room.identity_in_use", 409, "Another active session records this room with this identity; end it first."),
    _error("transition.invalid", 409, "The session's status does not allow this now."),
    _error("session.active", 409, "End the session first."),
    _error("session.not_running", 409, "The session is not running."),
    _error(
        "audio.not_ready",
        409,
        "The recording, or this form of it, is not made yet: repeat after Retry-After.",
        retryable=True,
    ),
    _error("audio.none", 404, "The session has no recording, or none of this participant."),
    _error(
        "transcript.none",
        404,
        "There is no such transcript: it is stored when the session is over and its speech is recognized.",
    ),
    _error(
        "transcript.not_ready",
        409,
        "The session is not over, or its transcript is not closed yet: repeat when GET …/transcript says available.",
        retryable=True,
    ),
    _error(
        "cursor.expired",
        410,
        "Events behind this cursor are not kept any more: read again from the oldest (without after), or from now on.",
    ),
    _error(
        "cursor.unknown",
        422,
        "This log has no such event (another organization's, or from before the database was restored): read again"
        " from the oldest.",
    ),
    _error("audio.link_invalid", 403, "The signed link is wrong or has expired: ask for a new one."),
    _error("range.invalid", 416, "The Range lies outside the file."),
    _error(
        "webhook.url_not_allowed",
        422,
        "A webhook's URL must be https, on port 443 or 8443, to a public address, without userinfo or fragment.",
    ),
    _error("webhook.too_many", 409, "Delete a webhook endpoint that is not needed any more."),
    _error("webhook.disabled", 409, "Enable the webhook endpoint first."),
    _error("webhook.replaying", 409, "A replay is under way: repeat when replaying_since is null.", retryable=True),
    _error("idempotency.invalid", 400, "An Idempotency-Key has 1 to 255 printable ASCII characters."),
    _error(
        "idempotency.in_progress",
        409,
        "The first request with this key is still running: repeat in a moment.",
        retryable=True,
    ),
    _error("idempotency.key_reused", 422, "This Idempotency-Key was used with another body: take a new one."),
    _error(
        "commit.unknown",
        503,
        "It is not known whether this was done: repeat with the same Idempotency-Key.",
        fault="platform",
        retryable=True,
    ),
    _error(
        "database.unavailable", 503, "The database is away: repeat after Retry-After.", fault="platform", retryable=True
    ),
    _error(
        "storage.unavailable",
        503,
        "The object storage is away: repeat after Retry-After.",
        fault="platform",
        retryable=True,
    ),
    _error(
        "storage.unrecognized",
        503,
        "The object storage is not this installation's: mount or name the right one, or run `parley storage adopt`.",
        fault="platform",
        retryable=True,
    ),
    _error(
        "stopping", 503, "This server is shutting down: repeat, another one answers.", fault="platform", retryable=True
    ),
    Code(
        "summary.failed",
        "error",
        "platform",
        True,
        False,
        500,
        "The last run made no summary, for the reason in the message: regenerate.",
    ),
    # failures: why a session failed
    Code(
        "internal",
        "failure",
        "platform",
        True,
        True,
        500,
        "A bug of ours, or something we did not foresee; the request id helps us find it.",
    ),
    Code(
        "secret_key.dropped",
        "failure",
        "platform",
        False,
        True,
        410,
        "The operator has dropped the secret key with which this was kept, so nobody can read it any more: create the "
        "session, key or secret again, with another Idempotency-Key.",
    ),
    Code(
        "worker_token.expired",
        "failure",
        "customer",
        False,
        True,
        422,
        "The token's exp has passed: mint a new one (it must outlive the wait in the queue).",
    ),
    _failure(
        "worker_token.rejected",
        "customer",
        "The message says why, where the LiveKit server does: mint another token with the API key and secret of that "
        "server, for this room, with roomJoin.",
    ),
    _failure(
        "room.name_unresolved",
        "customer",
        "Look for a typing error in the room's URL; if there is none, the workers' name server does not know the host.",
    ),
    _failure(
        "room.refused",
        "transport",
        "See whether the LiveKit server is up, and the port of the room's URL right.",
        retryable=True,
    ),
    _failure(
        "room.tls",
        "customer",
        "Use wss:// where TLS is spoken, with a certificate that the public trusts, and ws:// where it is not.",
    ),
    _failure(
        "room.not_livekit",
        "customer",
        "Check host, port and path of the room's URL, and what proxies make of it: a LiveKit server must answer there.",
    ),
    _failure(
        "room.unreachable",
        "transport",
        "See whether the workers' network reaches the LiveKit server, and whether a firewall swallows what they send.",
        retryable=True,
    ),
    _failure(
        "room.join_timeout",
        "transport",
        "See how busy the LiveKit server is, and whether many joins of yours are under way; then repeat.",
        retryable=True,
    ),
    _failure(
        "room.flood",
        "customer",
        "See what is at the room's URL: over a signaling connection no room needs to send more than "
        "`PARLEY_ROOM_BURST_KB`.",
    ),
    _failure(
        "room.join_failure",
        "transport",
        "See the LiveKit server's log for this room; where the server is well, repeat.",
        retryable=True,
    ),
    _failure(
        "room.duplicate_identity",
        "customer",
        "Give each session's token an identity that nobody else in the room has: LiveKit puts the older one out.",
    ),
    _failure(
        "capacity.none", "platform", "No worker was free in time: repeat, or let more of them run.", retryable=True
    ),
    _failure(
        "worker.lost",
        "platform",
        "The worker was lost and no other took over in time; what was recorded is kept.",
        retryable=True,
    ),
    _failure("worker.crash_loop", "platform", "Workers died repeatedly with this session; what was recorded is kept."),
    _failure("storage.write_failed", "platform", "The recording could not be stored; its segments are kept."),
    _failure(
        "storage.full", "platform", "The worker's disk is full; what was recorded until then is kept.", retryable=True
    ),
    # failures: why a session's transcript has no speech, or its summary was not made; the session itself has ended well
    _failure("speech.engine_missing", "platform", "The speech engine is not installed or not configured."),
    _failure("speech.engine_refused", "platform", "The speech engine refused the audio for good."),
    _failure("speech.engine_failed", "platform", "The speech engine did not answer, or not with text.", retryable=True),
    _failure(
        "speech.language_unsupported",
        "customer",
        "The speech engine does not know the language that transcription.language names.",
    ),
    _failure(
        "speech.audio_lost",
        "platform",
        "Some of what the recording has could not be read back for its speech: make the transcript anew, from the mix.",
    ),
    _failure("speech.deadline", "platform", "Speech was not recognized in time."),
    _failure(
        "speech.audio_missing",
        "customer",
        "A transcript is made anew from participants' files (recording.tracks), or from a mix without an agent.",
    ),
    _failure("summary.engine_missing", "platform", "The summarizer is not installed."),
    _failure("summary.engine_refused", "platform", "The summary endpoint refused the request for good."),
    _failure("summary.engine_failed", "platform", "The summary endpoint gave no summary: regenerate.", retryable=True),
    # ends: why a session ended or was canceled
    _end("end.requested", "A client asked for the end."),
    _end("end.max_duration", "max_duration_seconds have passed."),
    _end(
        "end.idle_timeout",
        "For idle_timeout_seconds no remote participant had an audio track or sent a stream. If nobody ever came, see"
        " whether the room's name is right: LiveKit makes any room that somebody joins.",
    ),
    _end("end.room_closed", "The room was closed or deleted."),
    _end("end.removed", "The worker was removed from the room.", fault="customer"),
    _end("cancel.requested", "A client asked for the cancellation."),
    # gaps: holes in a recording
    _gap("gap.worker_lost", "platform", "The worker was lost and another took over."),
    _gap("gap.worker_stalled", "platform", "The worker stood still; what it did not hear meanwhile is missing."),
    _gap("gap.rejoin", "transport", "The connection to the room was lost for this time."),
    _gap("gap.concealed", "transport", "Audio did not arrive in time; what is heard here was made up."),
    _gap("gap.subscribing", "transport", "Somebody had published audio, and it had not begun to arrive yet."),
    _gap(
        "gap.permission",
        "customer",
        "Somebody could not be heard: the worker lacked canSubscribe, or the publisher did not let it subscribe.",
    ),
    _gap(
        "gap.encrypted",
        "customer",
        "Somebody published end-to-end encrypted audio, which the worker has no key or another key for; it is not "
        "in the recording.",
    ),
    _gap(
        "gap.track_limit",
        "customer",
        "More audio tracks were published than a session records at the same time; this one was left out.",
    ),
    _gap("gap.storage", "platform", "What was recorded here could not be stored or read back."),
    _gap(
        "gap.overflow", "customer", "A byte stream was too far ahead of its playing, so this part of it was not kept."
    ),
    _gap("gap.paused", "none", "The session was paused."),
    # credits: why a bill gives back what the recording has
    Code(
        NO_MEDIA,
        "credit",
        "none",
        False,
        False,
        None,
        "No participant whom the session records was in the room, so the time costs nothing.",
    ),
    Code(
        NOT_RECORDED,
        "credit",
        "platform",
        False,
        False,
        None,
        "Time was counted beyond the end of the recording; it costs nothing.",
    ),
)

CODES: dict[str, Code] = {code.code: code for code in _ALL}
assert len(CODES) == len(_ALL), "a code is registered twice"


def lookup(code: str) -> Code:
    """The registry's entry.

    Raises:
        KeyError: the code is not registered, which is a bug of ours.
    """
    return CODES[code]


ErrorType = Literal[
    "invalid_request",
    "authentication",
    "quota_exceeded",
    "permission",
    "not_found",
    "conflict",
    "unprocessable",
    "rate_limit",
    "internal",
    "service_unavailable",
]

_TYPES: dict[int, ErrorType] = {
    401: "authentication",
    402: "quota_exceeded",
    403: "permission",
    404: "not_found",
    410: "not_found",
    409: "conflict",
    412: "conflict",
    422: "unprocessable",
    429: "rate_limit",
    500: "internal",
    503: "service_unavailable",
}


def error_type(http_status: int) -> ErrorType:
    """The broad category of an error answer; every 4xx without one of its own is `invalid_request`."""
    return _TYPES.get(http_status, "invalid_request" if http_status < 500 else "internal")
