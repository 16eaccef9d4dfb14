"""The body of `PATCH /v1/sessions/{session_id}`."""

from typing import Annotated

from pydantic import Field

from control_api.schemas.create_session import Metadata
from control_api.schemas.strictness import RequestModel


class UpdateSessionRequest(RequestModel):
    """What is sent replaces what was there, as a whole; what is left out stays."""

    title: Annotated[str, Field(max_length=500)] | None = Field(None, description="Null: no title.")
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    metadata: Metadata = Field(default_factory=dict)
