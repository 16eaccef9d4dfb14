"""The master key of a fresh installation."""

import sys

from parley.installation.installation import Installation
from sessions.organizations.key_terms import KeyTerms
from store.access.api_keys import ApiKeys
from store.access.organizations import organization_names
from store.database.database import Database


async def ensure_master_key(installation: Installation, db: Database) -> None:
    """Have PARLEY_MASTER_KEY accepted; without one, make a key if there is none at all, and show it this once.

    Raises:
        DatabaseUnavailableError: nothing is made.
    """
    keys = ApiKeys(db)
    if installation.settings.master_key is not None:
        await keys.ensure_master(installation.settings.master_key)
        return
    for organization_id in await organization_names(db):
        if await keys.list(organization_id):
            return
    _, secret = await keys.create("default", KeyTerms(name="first key"))
    # Past the log and its redactor: nobody could read it otherwise.
    print(f"Your master API key, which is shown only now: {secret.get_secret_value()}", file=sys.stderr, flush=True)
