"""Every column that holds what the vault has sealed.

What a column holds that is missing here is not sealed anew, and is lost when its secret key is dropped.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column

from store.access.vault import Slot
from store.database.tables import idempotency_keys, webhook_endpoints, worker_tokens


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where sealed texts lie.

    Attributes:
        what: of what they are, for people.
        column: may hold other bytes, too, if these never begin as sealed ones do.
        owner: the column of the same row with the id for which they were sealed.
        slots: of the texts in it; with several, the row's column `slot` says which.
    """

    what: str
    column: Column[bytes]
    owner: Column[UUID]
    slots: tuple[Slot, ...]


SEALED_WEBHOOK_SECRETS = (
    SealedColumn(
        "secrets of webhook endpoints",
        webhook_endpoints.c.sealed_secret,
        webhook_endpoints.c.id,
        (Slot.WEBHOOK,),
    ),
    SealedColumn(
        "rotated secrets of webhook endpoints",
        webhook_endpoints.c.sealed_old_secret,
        webhook_endpoints.c.id,
        (Slot.OLD_WEBHOOK,),
    ),
)
SEALED_COLUMNS = (
    SealedColumn(
        "worker tokens",
        worker_tokens.c.sealed,
        worker_tokens.c.session_id,
        (Slot.CUSTOMER, Slot.REFRESHED),
    ),
    SealedColumn(
        "keys of encrypted rooms",
        worker_tokens.c.sealed_shared_key,
        worker_tokens.c.session_id,
        (Slot.SHARED_KEY,),
    ),
    SealedColumn(
        "answers that hold a secret",
        idempotency_keys.c.body,
        idempotency_keys.c.organization_id,
        (Slot.ANSWER,),
    ),
    *SEALED_WEBHOOK_SECRETS,
)
