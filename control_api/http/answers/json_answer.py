"""Successful answers in JSON."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel


def to_json(model: BaseModel) -> bytes:
    """The model as UTF-8 JSON."""
    return model.model_dump_json().encode()


def json_answer(
    content: BaseModel | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON answer that only its own client may cache, and has to revalidate."""
    return web.Response(
        status=status,
        body=content if isinstance(content, bytes) else to_json(content),
        content_type="application/json",
        headers={"Cache-Control": "private, no-cache", **(headers or {})},
    )
