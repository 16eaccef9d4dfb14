"""Every kind of constraint has a text of our own; a library's words reach nobody."""

import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, field_validator

from control_api.http.requests.constraint_texts import _OTHERWISE
from control_api.http.requests.field_errors import validate
from control_api.operations import OPERATIONS
from sessions.errors import ParleyError


class Body(BaseModel):
    """A field of each kind."""

    model_config = {"strict": True, "extra": "forbid"}
    word: Annotated[str, Field(min_length=1, max_length=3, pattern="^a")] = "a"
    words: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    number: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    flag: bool = False
    choice: Literal["one", "two"] = "one"
    more: dict[str, str] = {}
    worker_token: Annotated[SecretStr, Field(min_length=1, max_length=4)] = SecretStr("a")

    @field_validator("flag")
    @classmethod
    def _no(cls, value: bool) -> bool:
        if value:
            raise ValueError("must not be so")
        return value


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"word": ""}, "must have at least one character"),
        ({"word": "abcd"}, "must have at most 3 characters"),
        ({"word": "b"}, "must match ^a"),
        ({"word": 1}, "must be a text"),
        ({"words": []}, "must have at least one of them"),
        ({"words": ["a", "b", "c"]}, "must have at most 2 of them"),
        ({"words": "a"}, "must be a list"),
        ({"number": 0}, "must be at least 1"),
        ({"number": 10}, "must be at most 9"),
        ({"number": 1.5}, "must be a whole number"),
        ({"share": 0}, "must be more than 0.0"),
        ({"share": 1}, "must be less than 1.0"),
        ({"flag": "yes"}, "must be true or false"),
        ({"flag": True}, "must not be so"),
        ({"choice": "three"}, "must be 'one' or 'two'"),
        ({"more": []}, "must be an object"),
        ({"other": 1}, "the operation has no such field"),
        ({"worker_token": ""}, "the worker token is no LiveKit access token"),
    ],
)
def test_a_constraint_has_a_text_of_our_own(body: dict[str, Any], text: str) -> None:
    """With the bound that was passed."""
    with pytest.raises(ParleyError) as caught:
        validate(Body, body)
    assert caught.value.message == text
    assert caught.value.code == ("worker_token.malformed" if "worker_token" in body else caught.value.code)


BODIES = {operation.body.__name__: operation.body for operation in OPERATIONS if operation.body is not None}
ANYTHING: tuple[Any, ...] = (
    None,
    1,
    -1.5,
    1e300,
    "",
    "x" * 70_000,
    True,
    [],
    [{}],
    {},
    {"type": "x"},
    {"": {}},
    "\x00",
)


@pytest.mark.parametrize("model", BODIES.values(), ids=BODIES)
def test_no_operation_speaks_in_a_librarys_words(model: type[BaseModel]) -> None:
    """Values of every type in each of its fields."""
    for name in model.model_fields:
        for value in ANYTHING:
            try:
                validate(model, {name: value})
            except ParleyError as error:
                for one in error.extra["errors"]:
                    assert one["message"] != _OTHERWISE, (name, value)
                    assert not re.search(r"[Ii]nput should|Value error|after validation|should have", one["message"])
