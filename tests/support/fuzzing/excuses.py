"""Why a request that its schema takes may be refused all the same: what JSON Schema has no words for.

An operation and the codes, with the fields where there are several, that it may answer then. Anything else that refuses
such a request is a finding.
"""

# A random text is no JWT and no public address; two kinds of transport are reserved; a token may end before start_at.
_SEAT = frozenset(
    {
        *(f"worker_token.{word}" for word in ("malformed", "expired", "missing_grant", "wrong_room")),
        *("worker_token.identity_mismatch", "transport.url_not_allowed", "transport.unsupported"),
    }
)
# A key that another body came with before.
_EVERY_POST = "idempotency.key_reused"
# Only one of two parameters, or both, or one only with another.
_PERIOD = frozenset(
    f"parameter.invalid {name}" for name in ("period", "period_start", "period_end", "time_zone", "group_by", "after")
)
_WEBHOOK = frozenset({"webhook.url_not_allowed", "field.invalid event_types"})
_EXCUSES: dict[str, frozenset[str]] = {
    # How long a session may be is a setting.
    "create_session": _SEAT | {"field.invalid max_duration_seconds"},
    "create_task_session": _SEAT,
    "update_task_session": _SEAT,
    "replace_worker_token": _SEAT,
    # What a key may be is said by its kind, and the future by the clock.
    "create_api_key": frozenset(
        {
            *(f"field.{word} {name}" for word in ("required", "invalid") for name in ("agent_id", "scopes")),
            "field.invalid expires_at",
        }
    ),
    # Where a URL leads, and which types there are, no pattern says; an organization has a hundred endpoints.
    "create_webhook_endpoint": _WEBHOOK | {"webhook.too_many"},
    "update_webhook_endpoint": _WEBHOOK,
    # A cursor is an event of the log; one of two members; one replay at a time, to an endpoint that is enabled.
    "replay_webhook_events": frozenset(
        {
            *("field.required after", "field.invalid since", "field.invalid types", "cursor.unknown"),
            *("cursor.expired", "webhook.replaying", "webhook.disabled"),
        }
    ),
    "test_webhook_endpoint": frozenset({"webhook.disabled"}),
    "redeliver_webhook": frozenset({"webhook.disabled"}),
    "get_usage": _PERIOD,
    "verify_usage": _PERIOD,
    # A cursor is a row of the ledger: its order is not that of the ids.
    "list_usage_events": frozenset({"parameter.invalid after"}),
    # A cursor is of an event that there is. A header that is a number is taken for a text of any pattern (4.32.5).
    "list_organization_events": frozenset({"cursor.unknown", "id.invalid Last-Event-ID"}),
    "list_events": frozenset({"id.invalid Last-Event-ID"}),
    # projectId belongs to type=project.
    "session_status": frozenset({"parameter.required"}),
    "session_transcript": frozenset({"parameter.required"}),
    "session_audio": frozenset({"parameter.required"}),
    # 64 bit of randomness don't make a signature; a link that works is to a file.
    "get_object": frozenset({"range.invalid"}),
    # One media type that is asked for may be none of ours.
}


def excuse(operation: str, code: str, param: str | None) -> str | None:
    """What excuses the refusal, if anything does."""
    if code == _EVERY_POST:
        return code
    known = _EXCUSES.get(operation, frozenset())
    return next((words for words in (code, f"{code} {param}") if words in known), None)
