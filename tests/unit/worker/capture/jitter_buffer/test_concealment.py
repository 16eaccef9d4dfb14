"""From a counter of concealed samples to gaps."""

from hypothesis import given
from hypothesis import strategies as st

from audio.ranges import Range, merged_ranges
from worker.capture.jitter_buffer.concealment import ConcealmentWatch
from worker.room.room_reading import TrackReading

SECOND = 48_000
HALF = SECOND // 2
EDGE = SECOND // 5
SLOT = SECOND // 10


def read(watch: ConcealmentWatch, total: int, position: int, packets: int | None = None) -> list[Range]:
    """A reading; packets have come in proportion to the time unless it says otherwise."""
    came = position // 960 if packets is None else packets
    return watch.read(TrackReading(total, came * 960, 0.0, came, 0), position)


def test_a_lost_packet_is_no_gap() -> None:
    """What any network loses; two in a row tear a tenth of a second."""
    watch = ConcealmentWatch()
    assert [read(watch, 0, 0), read(watch, 1_679, HALF), read(watch, 1_679, SECOND)] == [[], [], []]
    assert watch.give_up() == []


def test_two_lost_packets_with_a_reading_between_them_are_a_gap() -> None:
    """Neither alone would be one; after a named loss, the rest of it beyond the reading is named, too."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    assert [read(watch, 900, HALF), read(watch, 1_800, SECOND)] == [[], []]
    assert [read(watch, 1_800, SECOND + HALF)] == [[(HALF - 900, HALF + 900)]]
    assert [read(watch, 3_700, 2 * SECOND), read(watch, 4_000, 2 * SECOND + HALF)] == [[], [(77_760, 90_240)]]
    assert watch.give_up() == [(2 * SECOND - 1_680, 2 * SECOND + 300)]


def test_a_small_hole_is_told_by_the_next_reading() -> None:
    """It may have begun what goes on; if not, it is nowhere further than 0.2 s from the gap in the middle."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    assert [read(watch, 1_680, HALF), read(watch, 1_680, SECOND)] == [[], [(5_760, 18_240)]]
    assert [read(watch, 9_680, SECOND + HALF), watch.give_up()] == [[], [(53_760, 66_240)]]
    assert [read(watch, 9_680, 2 * SECOND), watch.give_up()] == [[], []]


def test_a_small_hole_that_goes_on_lies_at_the_end_of_its_interval() -> None:
    """One hole, one stretch, wherever the jitter buffer was meanwhile."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    found = watch.read(TrackReading(4_800, 960, 0.0, 1, 0), HALF, late=1_000)
    found += watch.read(TrackReading(4_800 + HALF, 960, 0.0, 1, 0), SECOND, late=2_000)
    assert found == [(HALF - 5_800, HALF - 1_000), (HALF - 2_000, SECOND - 2_000)]


@given(st.integers(3 * SECOND // 20, HALF), st.data())
def test_wherever_a_hole_lies_it_is_named(interval: int, data: st.DataObject) -> None:
    """Between two readings, or across one; with all of each tenth of a second of which it tears 20 ms.

    35 ms, if what lies on one side of a reading is too little to be named alone.
    And no true tenth of a second lies further inside a gap than it may.
    """
    lost = data.draw(st.integers(2 * 1_680, 2 * interval))
    begins = data.draw(st.integers(interval, 3 * interval - lost))
    ends = begins + lost
    watch, found = ConcealmentWatch(), list[Range]()
    for position in range(0, 6 * interval, interval):
        found += read(watch, min(max(position - begins, 0), lost), position)
    found += watch.give_up()
    parts = [
        min(max(at + interval - begins, 0), lost) - min(max(at - begins, 0), lost) for at in (interval, 2 * interval)
    ]
    tears = 960 if all(part == 0 or part >= 1_680 for part in parts) else 1_680
    for slot in range(begins - SLOT + tears, ends - tears + 1, 480):
        assert any(start - EDGE <= slot and slot + SLOT <= end + EDGE for start, end in merged_ranges(found)), slot
    for start, end in merged_ranges(found):
        first, last = start + EDGE, end - EDGE
        assert min(begins, last) - first < SLOT
        assert last - max(ends, first) < SLOT


def test_a_hole_that_goes_on_is_one_stretch() -> None:
    """It begins at the end of one interval and ends at the start of another."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    gaps = [read(watch, 96_000, 240_000), read(watch, 336_000, 480_000), read(watch, 384_000, 720_000)]
    assert gaps == [[(144_000, 240_000)], [(240_000, 480_000)], [(480_000, 528_000)]]


def test_a_hole_that_goes_on_has_no_seams() -> None:
    """The counter lags by what the decoder makes at once."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    gaps = [read(watch, 24_000, SECOND), read(watch, 71_500, 2 * SECOND), read(watch, 119_000, 3 * SECOND)]
    assert gaps == [[(24_000, SECOND)], [(SECOND, 2 * SECOND)], [(2 * SECOND, 3 * SECOND)]]


def test_what_is_made_up_while_muted_counts_for_nobody() -> None:
    """Figures of a mute of 5.5 s as they were read."""
    watch = ConcealmentWatch()
    assert read(watch, 69_330, 0) == []
    watch.mute(True, 40_000)
    assert read(watch, 70_410, 41_000) == []
    total = 70_410
    for second in range(1, 6):
        total += 48_000
        assert read(watch, total, 41_000 + second * SECOND, packets=494) == []
    watch.mute(False, 300_000)
    assert read(watch, total + 17_000, 300_500, packets=494) == []
    assert read(watch, total + 32_000, 348_000, packets=530) == [], "until the first packet came"
    assert read(watch, total + 32_000, 396_000, packets=580) == []


def test_a_loss_before_a_mute_and_one_after_it_are_gaps() -> None:
    """Only the muted time is excused."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    watch.mute(True, SECOND)
    assert read(watch, 24_000, SECOND) == [(24_000, SECOND)]
    watch.mute(False, 3 * SECOND)
    assert read(watch, 24_000 + 96_000, 3 * SECOND, packets=50) == []
    assert read(watch, 24_000 + 96_000, 4 * SECOND, packets=100) == []
    assert read(watch, 24_000 + 96_000 + 20_000, 5 * SECOND, packets=130) == [(5 * SECOND - 20_000, 5 * SECOND)]


def test_a_mute_that_two_readings_enclose_is_excused() -> None:
    """Events may come in a burst."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    watch.mute(True, 10_000)
    watch.mute(False, 40_000)
    assert read(watch, 29_000, SECOND, packets=20) == []


def test_a_track_without_a_receiver_starts_again() -> None:
    """Nothing is known of the time in between."""
    watch = ConcealmentWatch()
    read(watch, 0, 0)
    assert [watch.read(None, 1), read(watch, 500_000, 240_000), read(watch, 500_000, 480_000)] == [[], [], []]


def test_a_new_counter_starts_again() -> None:
    """A full reconnect makes a new track whose counter is smaller."""
    watch = ConcealmentWatch()
    read(watch, 90_000, 0)
    assert read(watch, 10, 240_000) == []


def settling(watch: ConcealmentWatch, total: int, position: int, since: int | None = 0) -> list[Range]:
    """A reading of a track whose jitter buffer is new."""
    return watch.read(TrackReading(total, position, 0.0, position // 960, 0), position, settles_since=since)


def test_what_a_new_jitter_buffer_makes_up_tears_what_goes_on() -> None:
    """From the first frame on, also before the first reading; two packets of it are a gap in the middle."""
    watch = ConcealmentWatch()
    found = [
        settling(watch, 4_800, 9_600),
        settling(watch, 4_800 + 1_679, 19_200),
        settling(watch, 6_479 + 1_680, 28_800),
        settling(watch, 8_159 + 9_600, 38_400),
        settling(watch, 17_759 + 4_800, 48_000, None),
        settling(watch, 22_559 + 1_679, 57_600, None),
    ]
    goes_on = [(27_120, 28_800), (28_800, 38_400)]
    assert found == [[], [(2_400, 7_200)], [(10_560, 13_440)], goes_on, [(38_400, 43_200)], []]


def test_what_a_muted_microphone_does_to_a_new_jitter_buffer_is_no_gap() -> None:
    """It is muted when the worker joins."""
    watch = ConcealmentWatch()
    watch.mute(True, 0)
    assert settling(watch, 4_800, 9_600) == []
    watch.mute(False, 10_000)
    assert settling(watch, 9_600, 19_200) == []
    assert settling(watch, 12_000, 28_800) == [], "until the first packet has come"
    assert watch.give_up() == []


def test_what_a_new_jitter_buffer_stretches_counts_as_torn_too() -> None:
    """Together with what it made up: 12 ms are a gap 0.12 to 0.3 s after its first frame, else 35 ms."""
    watch = ConcealmentWatch()
    stretched = 0

    def stretch(samples: int, position: int, since: int | None = 0, concealed: int = 0) -> list[Range]:
        nonlocal stretched
        stretched += samples
        reading = TrackReading(concealed, position, 0.0, position // 960, 0, stretched)
        return watch.read(reading, position, settles_since=since)

    assert stretch(1_679, 5_760) == []
    assert stretch(0, 7_200) == []
    assert stretch(575, 12_000) == []
    assert stretch(576, 14_400) == []
    assert stretch(576, 21_600) == [(12_912, 13_488)]
    assert stretch(1_679, 28_800) == [(17_712, 18_288)]
    assert stretch(1_680, 36_000) == []
    assert stretch(1_200, 43_200, concealed=480) == [(31_560, 33_240)]
    assert stretch(4_800, 50_400, None, concealed=480) == [(38_760, 40_440)]
    assert stretch(0, 57_600, None, concealed=480) == [], "it has settled"
    assert watch.give_up() == []


def test_what_a_new_jitter_buffer_let_go_lies_right_before_what_it_plays() -> None:
    """15 packets in one short interval, as measured: all since the first frame; later only what is new is told."""
    watch = ConcealmentWatch()

    def read_let_go(position: int, packets: int, discarded: int, since: int | None = 0) -> list[Range]:
        played = max(2 * packets - discarded - 1, 0) * 960
        return watch.read(TrackReading(0, played, 0.0, packets, discarded), position, settles_since=since)

    assert read_let_go(12_480, 17, 16) == []
    assert read_let_go(14_400, 19, 33) == [(14_400 - 14 * 960, 14_400)]
    assert read_let_go(24_960, 30, 44) == []
    assert read_let_go(33_000, 38, 55) == [(33_000 - 3 * 960, 33_000)]
    assert read_let_go(150_000, 158, 190, None) == [], "it has settled"


def test_nothing_is_let_go_before_the_first_frame() -> None:
    """What comes earlier is the takeover's."""
    watch = ConcealmentWatch()
    assert watch.read(TrackReading(0, 960, 0.0, 12, 32), 10_000, settles_since=5_000) == [(5_000, 10_000)]
