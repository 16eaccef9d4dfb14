"""Identifiers: one to one, in every accepted spelling, and nothing else."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.errors import ParleyError
from sessions.ids import created_at, format_hex_id, format_id, id_pattern, is_hex_spelling, new_uuid, parse_id

uuids = st.uuids()


@given(uuids)
def test_an_id_reads_back_in_any_case(value: UUID) -> None:
    """What is printed is parsed to the same 128 bits."""
    text = format_id("sess", value)

    assert text.startswith("sess_")
    assert len(text) == 31
    assert {parse_id("sess", text), parse_id("sess", text.lower()), parse_id("sess", text.upper())} == {value}


@given(uuids)
def test_sessions_have_a_hexadecimal_spelling_too(value: UUID) -> None:
    """`session_<32 hex>` is the same session, and no other object's id."""
    text = f"session_{value.hex}"

    assert parse_id("sess", text) == parse_id("sess", text.upper()) == value
    assert is_hex_spelling(text)
    with pytest.raises(ParleyError):
        parse_id("rec", text)


@given(uuids, uuids)
def test_ids_sort_as_their_bits_do(one: UUID, other: UUID) -> None:
    """Newest last: the text's order is the time's."""
    assert (format_id("ue", one) < format_id("ue", other)) == (one < other)


@given(st.text(max_size=40))
def test_any_other_text_is_refused_by_its_code(text: str) -> None:
    """The error names the parameter and echoes nothing."""
    with pytest.raises(ParleyError) as refused:
        parse_id("sess", text, param="starting_after")

    assert (refused.value.code, refused.value.param) == ("id.invalid", "starting_after")
    assert refused.value.message == "Invalid session ID"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sess_",
        "01J00000000000000000000000",
        "rec_01J00000000000000000000000",
        "sess_81J00000000000000000000000",  # more than 128 bits
        "sess_01J0000000000000000000000U",  # no letter of Crockford's
        "sess_01J0000000000000000000000",
        "sess_01J000000000000000000000000",
        "session_" + "g" * 32,
        "session_" + "0" * 31,
        " sess_01J00000000000000000000000",
        "sess_01J00000000000000000000000\n",
        "sess_" + "٠" * 26,
    ],
)
def test_near_misses_are_refused(text: str) -> None:
    """Wrong prefix, length, letters, or one bit too many."""
    with pytest.raises(ParleyError, match=r"id\.invalid"):
        parse_id("sess", text)


def test_new_ids_increase_and_carry_their_time() -> None:
    """UUIDv7: unique, in order within a process, with the millisecond of their making."""
    values = [new_uuid() for _ in range(1000)]

    assert values == sorted(set(values))
    assert {value.version for value in values} == {7}
    assert abs(created_at(values[-1]) - datetime.now(UTC)) < timedelta(seconds=10)
    assert created_at(UUID("018f0000-0000-7000-8000-000000000000")) == datetime.fromtimestamp(
        0x018F00000000 / 1000, UTC
    )


@given(uuids)
def test_the_pattern_of_the_api_document_takes_both_spellings(value: UUID) -> None:
    """And is anchored; other objects have one spelling that is read."""
    session, organization = (re.compile(id_pattern(prefix)) for prefix in ("sess", "org"))

    assert session.search(format_id("sess", value))
    assert session.search(format_hex_id("sess", value))
    assert format_hex_id("sess", value) == f"session_{value.hex}"
    assert organization.search(format_id("org", value))
    assert format_hex_id("org", value) == f"org_{value.hex}"
    assert not organization.search(format_hex_id("org", value))
    assert not session.search("x" + format_id("sess", value))
    assert not session.search(format_hex_id("sess", value) + "0")


def test_an_id_of_another_object_is_named() -> None:
    """By its prefix, and by `id` unless the parameter has another name."""
    with pytest.raises(ParleyError) as refused:
        parse_id("rec", "rec_x")

    assert (refused.value.param, refused.value.message) == ("id", "not a valid rec_… id")
