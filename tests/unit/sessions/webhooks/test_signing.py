"""The headers that a receiver's library verifies."""

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sessions.webhooks.signing import signed_headers

OLD, NEW, OTHER = ("whsec_" + letter * 43 + "=" for letter in "aBC")


def test_either_secret_of_a_rotation_verifies_and_no_other() -> None:
    """Texts beyond ASCII included; one byte more is another body."""
    body = '{"id":"evt_1","text":"Grüße 👋"}'.encode()
    headers = signed_headers("evt_1", datetime.now(UTC), body, [NEW, OLD])
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == {"id": "evt_1", "text": "Grüße 👋"}
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)
