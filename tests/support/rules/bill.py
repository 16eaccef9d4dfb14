"""What holds of every session's bill, whatever happened to it."""

from typing import Any

from sessions.codes import lookup


def assert_balances(rows: list[dict[str, Any]], ended: dict[str, Any], recording: dict[str, Any] | None = None) -> None:
    """The rows tile the counter, exactly the last is final, what is given back is subtracted.

    Args:
        rows: of `GET /v1/usage/events`.
        ended: the session when it is over.
        recording: its recording; nobody pays for what it lacks through no fault of the customer, nor for an empty room.
    """
    counted = [row for row in rows if row["kind"] != "credit"]
    assert [row["from_ms"] for row in counted] == [0, *(row["to_ms"] for row in counted[:-1])]
    assert [row["kind"] for row in rows].count("final") == 1
    assert (rows[-1]["kind"], rows[-1]["to_ms"]) == ("final", ended["usage"]["billable_ms"])
    assert not ended["usage"]["provisional"]
    given_back = -sum(row["milliseconds"] for row in rows if row["kind"] == "credit")
    assert given_back == ended["usage"]["credited_ms"]
    if recording is not None:
        lacking = {
            ms
            for gap in recording["gaps"]
            if lookup(gap["code"]).fault != "customer"
            for ms in range(gap["start_ms"], min(gap["end_ms"], recording["duration_ms"]))
        }
        for absence in recording["absences"]:
            lacking.update(range(absence["start_ms"], min(absence["end_ms"], recording["duration_ms"])))
        billed = ended["usage"]["billable_ms"] - given_back
        assert billed <= recording["duration_ms"] + 1 - len(lacking), (billed, given_back, recording)
