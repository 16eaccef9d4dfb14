"""When nobody was in the room, by looks at it."""

import pytest

from worker.room.empty_room import EmptyRoom

MS = 1_000_000

# A scene is (ms, what happens): True, False and None are looks (empty, not empty, unknown), "entered" and "end" events.
Scene = list[tuple[int, bool | str | None]]


def played(scene: Scene) -> list[tuple[int, int]]:
    """The stretches that are handed out, in ms, with those that touch each other joined."""
    room, found = EmptyRoom(), list[tuple[int, int]]()
    for at, what in scene:
        if what == "entered":
            room.entered(at * MS)
        elif what == "end":
            found += room.close(at * MS)
        else:
            assert not isinstance(what, str)
            found += room.look(at * MS, what)
    joined: list[tuple[int, int]] = []
    for from_ns, to_ns in found:
        assert from_ns < to_ns
        if joined and joined[-1][1] == from_ns // MS:
            joined[-1] = (joined[-1][0], to_ns // MS)
        else:
            joined.append((from_ns // MS, to_ns // MS))
    return joined


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ([(-5, "entered"), (20, True), (270, True), (9000, "end")], [(-5, 9000)]),
        ([(0, "entered"), (20, False), (5000, False), (9000, "end")], []),
        ([(0, "entered"), (9000, "end")], []),
        # One comes and goes.
        (
            [(0, "entered"), (20, True), (2000, False), (3000, False), (5000, True), (9000, "end")],
            [(0, 2000), (5000, 9000)],
        ),
        # The SDK reconnects: what lies between two looks at an empty room was empty.
        ([(0, "entered"), (500, True), (600, None), (3000, None), (3100, True), (4000, "end")], [(0, 4000)]),
        # ... and where somebody is found afterwards it is not known since when.
        ([(0, "entered"), (500, True), (600, None), (3000, None), (3100, False), (4000, "end")], [(0, 500)]),
        ([(0, "entered"), (500, False), (600, None), (3000, None), (3100, True), (4000, "end")], [(3100, 4000)]),
        ([(0, "entered"), (500, True), (600, None), (3000, "end")], [(0, 500)]),
        # Everybody vanishes for an instant before a full reconnect.
        ([(0, "entered"), (1, False), (500, True), (501, None), (900, False), (2000, "end")], []),
        # The room is lost and joined again; the time between has a gap of its own.
        (
            [(0, "entered"), (500, True), (600, None), (3000, "entered"), (3050, True), (4000, "end")],
            [(0, 500), (3000, 4000)],
        ),
        ([(0, "entered"), (500, True), (600, None), (3000, "entered"), (3050, False), (4000, "end")], [(0, 500)]),
    ],
)
def test_what_is_told_of_an_empty_room(scene: Scene, expected: list[tuple[int, int]]) -> None:
    """Whoever comes, goes or can't be seen."""
    assert played(scene) == expected


def test_no_more_than_a_second_is_held_back() -> None:
    """A process that is killed has told all but the last second."""
    room, told_ns = EmptyRoom(), 0
    room.entered(0)
    for at in range(0, 10_000, 250):
        for from_ns, to_ns in room.look(at * MS, deserted=True):
            assert from_ns == told_ns
            told_ns = to_ns
        assert at * MS - told_ns < 1000 * MS
