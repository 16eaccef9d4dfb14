"""What a recording lists of gaps that overlap, and what becomes of the bill."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audio.segments.gaps import Gap, GapMs, gaps_in_ms
from sessions.billing.crediting import Credit, credits_of_recording
from sessions.codes import CODES
from worker.outputs.product.recording_plan import gap_ranks

LENGTH_MS = 80
GAPS = sorted(code for code, entry in CODES.items() if entry.kind == "gap")


@given(
    gaps=st.lists(
        st.builds(
            Gap,
            st.integers(0, LENGTH_MS * 48),
            st.integers(0, LENGTH_MS * 48),
            st.sampled_from(GAPS),
            st.sampled_from([None, None, "ann", "bob"]),
        ),
        max_size=6,
    ),
    billed_ms=st.integers(0, LENGTH_MS + 10),
)
def test_what_is_given_back_does_not_depend_on_how_gaps_overlap(gaps: list[Gap], billed_ms: int) -> None:
    """Nothing is given back twice, and nothing is lost to somebody's else's fault."""
    overlapping = [one for gap in gaps for one in gaps_in_ms([gap], LENGTH_MS * 48)]
    listed = gaps_in_ms(gaps, LENGTH_MS * 48, gap_ranks())

    def given_back(found: list[GapMs]) -> list[Credit]:
        return credits_of_recording(LENGTH_MS, found, [], billed_ms)

    def milliseconds(found: list[GapMs]) -> int:
        return sum(credit.milliseconds for credit in given_back(found))

    assert milliseconds(listed) == milliseconds(overlapping)
    ranges = [(credit.from_ms, credit.to_ms) for credit in given_back(listed)]
    assert all(end <= start for (_, end), (start, _) in pairwise(ranges))


@given(st.permutations(GAPS))
def test_a_pause_hides_all_and_what_is_ours_is_hidden_by_nothing_else(codes: list[str]) -> None:
    """Of gaps of everybody that say the same, in whatever order they are found."""
    expected: list[GapMs] = [{"start_ms": 0, "end_ms": 1, "code": "gap.paused"}]
    assert gaps_in_ms([Gap(0, 48, code) for code in codes], 48, gap_ranks()) == expected
    rest = [Gap(0, 48, code) for code in codes if code != "gap.paused"]
    assert [gap["code"] for gap in gaps_in_ms(rest, 48, gap_ranks())] == ["gap.storage"]
    lost = [gap for gap in rest if gap.code != "gap.storage"]
    assert [CODES[gap["code"]].fault for gap in gaps_in_ms(lost, 48, gap_ranks())] == ["platform"]
