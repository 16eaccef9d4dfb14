"""Opens the configured object storage."""

from parley.command_error import CommandError
from parley.installation.installation import Installation
from store.objects.objects import Objects


def open_objects(installation: Installation) -> Objects:
    """The object storage of this installation.

    Raises:
        CommandError: PARLEY_STORAGE_URL has a form that we don't know.
        StorageError: the local folder can't be made.
    """
    try:
        return Objects.open(installation.storage_url, public_endpoint=installation.settings.storage_public_url)
    except ValueError as error:
        raise CommandError(f"PARLEY_STORAGE_URL: {error}") from error
