"""The strict reader's parser."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.http.requests.json_body import MAX_DEPTH, parse_object
from sessions.errors import ParleyError

_texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_texts, _values, max_size=5), st.booleans())
def test_every_ordinary_object_is_read_as_it_was_written(value: dict[str, Any], ascii_only: bool) -> None:
    """Escaped or not, nothing is lost."""
    assert parse_object(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_refused(data: bytes) -> None:
    """Nothing else is ever raised."""
    try:
        parsed: object = parse_object(data)
    except ParleyError as error:
        parsed = error.code
    assert isinstance(parsed, dict) or parsed == "body.malformed"


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH + 1, 250, 30_000])
def test_nesting_has_a_limit(depth: int) -> None:
    """Never a RecursionError."""
    data = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    if depth < MAX_DEPTH:
        assert list(parse_object(data)) == ["a"]
    else:
        with pytest.raises(ParleyError) as caught:
            parse_object(data)
        assert caught.value.code == "body.malformed"


def test_the_refusal_does_not_echo_the_body() -> None:
    """A token in a broken body stays out of the message."""
    with pytest.raises(ParleyError) as caught:
        parse_object(b'{"worker_token":"eyJhbGci.SECRET"')
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
