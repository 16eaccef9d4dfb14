"""How the operations of one style answer errors: the canonical envelope, or a form of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from sessions.errors import ParleyError


@dataclass(frozen=True, slots=True)
class Dialect:
    """One form of error answers; status, headers and body all come from a ParleyError.

    Attributes:
        name: in names of parts of the OpenAPI document.
        envelope: the body's model, for the OpenAPI document.
        status: of an error code.
        content: the body, given the error and the request id.
        headers: besides those that every error answer has.
    """

    name: str
    envelope: type[BaseModel]
    status: Callable[[str], int]
    content: Callable[[ParleyError, str], dict[str, Any]]
    headers: Callable[[ParleyError], Mapping[str, str]]


DIALECT = web.RequestKey("dialect", Dialect)
