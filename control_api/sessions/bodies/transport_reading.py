"""From the transport of a body to what the store keeps, with the checks that no schema can make."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from control_api.sessions.bodies.request_models import LiveKitTransportRequest, TransportRequest
from sessions.destinations.room_url import parse_room_url
from sessions.destinations.worker_token import read_worker_token, require_stream_grants
from sessions.errors import ParleyError
from sessions.session import LiveKitTransport
from sessions.settings import Settings

TOKEN_CODES = tuple(
    f"worker_token.{word}" for word in ("malformed", "expired", "missing_grant", "wrong_room", "identity_mismatch")
)
# What a body with a transport may be refused for.
TRANSPORT_CODES = (
    "transport.unsupported",
    "transport.url_not_allowed",
    "audio_source.unsupported",
    "room.identity_in_use",
    *TOKEN_CODES,
)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a worker is to join, and with what."""

    transport: LiveKitTransport
    token: SecretStr
    token_expires_at: datetime
    shared_key: SecretStr | None


def read_transport(transport: TransportRequest, settings: Settings, *, joins_at: datetime) -> Seat:
    """Where a worker is to join, and with what.

    Args:
        joins_at: not before; the worker token must live longer.

    Raises:
        ParleyError: `transport.unsupported`, `audio_source.unsupported`, `transport.url_not_allowed`,
            `worker_token.*`; `param` as in `POST /v1/sessions`.
    """
    if not isinstance(transport, LiveKitTransportRequest):
        raise ParleyError(
            "transport.unsupported",
            f"transport.type={transport.type} is reserved and not yet available",
            param="transport.type",
        )
    parse_room_url(transport.url, settings.allowed_addresses)
    claims = read_worker_token(
        transport.worker_token,
        now=joins_at,
        room_name=transport.room_name,
        worker_identity=transport.worker_identity,
    )
    if transport.audio_source == "data_stream":
        require_stream_grants(claims)
    kept = LiveKitTransport(
        url=transport.url,
        room_name=transport.room_name,
        worker_identity=claims.identity,
        audio_source=transport.audio_source,
        subscribe_to_identity=transport.subscribe_to_identity,
        synthetic_audio_if_no_input=transport.synthetic_audio_if_no_input,
        e2ee=transport.e2ee is not None,
    )
    shared_key = None if transport.e2ee is None else transport.e2ee.shared_key
    return Seat(kept, transport.worker_token, claims.expires_at, shared_key)
