"""One admitted request: everything that a route function needs, checked."""

from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from control_api.http.requests.authentication import authenticate, has_scope
from control_api.http.requests.dependencies import DEPENDENCIES, ApiDependencies
from store.access.api_keys import Principal
from store.access.idempotency import IdempotencyTicket

PRINCIPAL = web.RequestKey("principal", Principal)
OPERATION = web.RequestKey("operation", str)
BEGUN = web.RequestKey("begun", bool)  # the answer's headers are out, or about to be


Body = TypeVar("Body", bound=BaseModel)


@dataclass(slots=True)
class Call:
    """A request after authentication, scope, path ids, query parameters, schema and idempotency key.

    Attributes:
        session: `{session_id}` or `{session_key}` of the path; it exists and is the agent's, where there is one.
        api_key: `{key_id}` of the path.
        webhook_endpoint, delivery: `{endpoint_id}` and `{delivery_id}` of the path.
        agent: `{agent_id}` of the path, else the agent that the key is bound to; nothing of another agent is shown.
        ticket: of an idempotent request; a route that stores the answer in its own transaction sets it to None.
    """

    request: web.Request
    query: dict[str, Any] = field(default_factory=dict)
    admitted: Principal | None = None
    session: UUID | None = None
    api_key: UUID | None = None
    webhook_endpoint: UUID | None = None
    delivery: UUID | None = None
    agent: str | None = None
    body: BaseModel | None = None
    ticket: IdempotencyTicket | None = None

    @property
    def dependencies(self) -> ApiDependencies:
        """What the application was built with."""
        return self.request.app[DEPENDENCIES]

    @property
    def principal(self) -> Principal:
        """Who asks; operations without authentication have nobody."""
        assert self.admitted is not None
        return self.admitted

    @property
    def reads_content(self) -> bool:
        """Whether the asking key may read what was said and written."""
        return has_scope(self.principal, "sessions:read")

    async def check_key(self) -> None:
        """Look the key up again, after a wait: nothing is shown to one that was revoked meanwhile.

        Raises:
            ParleyError: `key.invalid`.
            DatabaseError: the key could not be looked up.
        """
        self.admitted = await authenticate(self.request, self.dependencies.api_keys)

    @property
    def organization_id(self) -> UUID:
        """Whose data this is about."""
        return self.principal.organization_id

    @property
    def session_id(self) -> UUID:
        """The session of the path."""
        assert self.session is not None
        return self.session

    @property
    def api_key_id(self) -> UUID:
        """The API key of the path."""
        assert self.api_key is not None
        return self.api_key

    @property
    def endpoint_id(self) -> UUID:
        """The webhook endpoint of the path."""
        assert self.webhook_endpoint is not None
        return self.webhook_endpoint

    @property
    def delivery_id(self) -> UUID:
        """The delivery of the path."""
        assert self.delivery is not None
        return self.delivery

    @property
    def addressed(self) -> UUID | None:
        """Whatever the path addresses by its id."""
        return self.session or self.api_key or self.webhook_endpoint or self.delivery

    def body_as(self, model: type[Body]) -> Body:
        """The checked body."""
        assert isinstance(self.body, model)
        return self.body
