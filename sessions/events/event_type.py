"""What one type of event means, and which facts its body's `data` has besides `session`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """One member of `data`; it is always there, null when it has no value.

    Attributes:
        schema: JSON Schema of its value, which may be null besides.
        content: whether it holds what was said or written, or who somebody is: null for readers without
            `sessions:read`, and gone when the session is erased.
    """

    name: str
    schema: dict[str, Any]
    description: str
    example: Any
    content: bool = False


@dataclass(frozen=True, slots=True)
class EventType:
    """One type.

    Attributes:
        name: `<what>.<what happened to it>`.
        help: one sentence that says when it happens.
    """

    name: str
    help: str
    facts: tuple[Fact, ...] = ()
