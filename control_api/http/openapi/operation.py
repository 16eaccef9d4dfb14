"""What an operation is: the row that its route and its part of the OpenAPI document come from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from control_api.http.answers.dialect import Dialect
from control_api.http.answers.envelope import CANONICAL
from control_api.http.answers.models import EmptyRequest
from control_api.http.requests.call import Call
from control_api.http.requests.query_parameters import QueryParameter
from sessions.organizations.key_terms import Scope

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which an operation succeeds.

    Attributes:
        model: of the JSON body; None for another body, or none.
        example: a body as it may be read.
        media_types: bodies besides JSON, media type → example.
        variant: JSON in another spelling, under a media type of its own (and under plain JSON, where the path asks for
            it): media type, model, example.
        headers: name → description; those that are always there.
        optional_headers: name → description; those that only some answers have.
        leads_to: in links to other operations: what addresses something there (a parameter of the path, `sessionId`) →
            the member of this answer's JSON body that says it.
    """

    status: int
    description: str
    model: type[BaseModel] | None = None
    example: Any = None
    media_types: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    optional_headers: dict[str, str] = field(default_factory=dict)
    variant: tuple[str, type[BaseModel], Any] | None = None
    leads_to: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        name: operationId; also in logs and metrics.
        path: with parameters of `control_api.http.requests.path_parameters`.
        scope: what the key must have; None: any key will do.
        public: needs no key at all.
        operator: needs the key of whoever runs the installation, and no organization's.
        unlimited: needs no key, and may be asked as often as anybody likes: probes of whoever runs the installation.
        counts_as: what it uses up of the organization's limits, besides a request.
        secret_answer: the answer holds a secret: for repetitions it is kept sealed, and no cache may keep it.
        made_at: path of what a POST makes, with the `{id}` of its answer: the Location header, of repetitions too.
        errors: the codes that belong to this operation, beyond those that every one has.
        error_descriptions: status → a sentence, where the usual one of that status says too little.
        request_examples: name → body.
        request_headers: name → description and JSON Schema.
        dialect: the form of its errors.
    """

    name: str
    method: Method
    path: str
    tag: str
    summary: str
    handler: Callable[[Call], Awaitable[web.StreamResponse]]
    answers: tuple[Answer, ...]
    description: str = ""
    scope: Scope | None = None
    public: bool = False
    operator: bool = False
    unlimited: bool = False
    counts_as: Literal["create", "message"] | None = None
    secret_answer: bool = False
    made_at: str | None = None
    query: tuple[QueryParameter, ...] = ()
    body: type[BaseModel] | None = None
    body_required: bool = True
    errors: tuple[str, ...] = ()
    error_descriptions: dict[int, str] = field(default_factory=dict)
    request_examples: dict[str, Any] = field(default_factory=dict)
    request_headers: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    dialect: Dialect = CANONICAL

    @property
    def idempotent_by_key(self) -> bool:
        """Whether an Idempotency-Key is honored: on every POST."""
        return self.method == "POST"


# An operation that is told everything by its path: its body is empty, or `{}`.
command = partial(Operation, method="POST", body=EmptyRequest, body_required=False, request_examples={"empty": {}})
