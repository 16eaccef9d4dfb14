"""Failures of the object storage, in our codes. Its own messages hold paths and endpoints, so none is shown."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from obstore.exceptions import AlreadyExistsError, BaseError

from sessions.errors import ParleyError
from store.objects.causes import Cause, cause_of

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_TEXTS = tuple(f"os error {number}" for number in _FULL)


class StorageError(ParleyError):
    """The object storage failed; `code` is `storage.unavailable` or `storage.full`.

    `cause` is for whoever runs the installation, not for those who use it; None: the code says it all.
    """

    def __init__(
        self, code: str, message: str, *, cause: Cause | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code, message, extra=extra)
        self.cause = cause

    @property
    def trouble(self) -> str:
        """The cause, else the message: a sentence for whoever runs the installation."""
        return self.message if self.cause is None else self.cause.text

    @property
    def is_lack(self) -> bool:
        """Whether the storage doesn't offer this kind of request: another kind may do."""
        return self.cause is not None and self.cause.is_lack

    @classmethod
    def away(cls, cause: Cause) -> "StorageError":
        """`storage.unavailable`, worth another try."""
        return cls(
            "storage.unavailable",
            "the object storage does not answer",
            cause=cause,
            extra={"retry_after_seconds": 5},
        )


class ObjectMissing(StorageError):  # noqa: N818 it is an answer as much as an error
    """There is no object with that key."""

    def __init__(self) -> None:
        super().__init__("storage.unavailable", "an object is missing in the storage")


class ObjectExists(StorageError):  # noqa: N818 it is an answer as much as an error
    """There is an object with that key already."""

    def __init__(self) -> None:
        super().__init__("storage.write_failed", "there is another object with that key")


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise whatever obstore or the file system raises in this block as a `StorageError`."""
    try:
        yield
    except FileNotFoundError as error:
        cause = cause_of(error)
        raise (StorageError.away(cause) if cause.is_about_more else ObjectMissing()) from error
    except (FileExistsError, AlreadyExistsError) as error:
        raise ObjectExists from error
    except (OSError, BaseError) as error:
        # obstore reports a full disk as GenericError, not as OSError (measured)
        full = (isinstance(error, OSError) and error.errno in _FULL) or any(text in str(error) for text in _FULL_TEXTS)
        if full:
            raise StorageError("storage.full", "the object storage is full", cause=cause_of(error)) from error
        raise StorageError.away(cause_of(error)) from error
