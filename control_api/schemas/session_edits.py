"""The body of `PATCH /v1/sessions/{session_id}`."""

from typing import Annotated

from pydantic import Field

from control_api.schemas.create_session import Metadata, Tags
from control_api.schemas.strictness import RequestModel, Text


class UpdateSessionRequest(RequestModel):
    """What is sent replaces what was there, as a whole; what is left out stays."""

    title: Annotated[Text, Field(max_length=500)] | None = Field(None, description="Null: no title.")
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
