"""How much a server may send, and how long nobody dials one that sent more."""

from worker.guard.allowance import Allowance, Floods, SharedAllowance


def test_a_burst_may_be_used_once_and_then_comes_back_at_its_rate() -> None:
    """Never more than the whole of it."""
    allowance = Allowance.new(1000, 10, now=50)
    assert allowance.take(1000, now=50)
    assert allowance.take(10, now=51)
    assert not allowance.take(1, now=51)
    late = Allowance.new(1000, 10, now=0)
    assert late.take(1000, now=1_000_000)
    assert not late.take(1, now=1_000_000)


def test_a_flood_is_remembered_for_who_suffered_from_it_and_for_a_while() -> None:
    """Another process, host or port is not concerned."""
    floods = Floods(seconds=30)
    floods.note(("a", "h", 1), now=100)
    assert floods.lasts(("a", "h", 1), now=129.9)
    assert not floods.lasts(("a", "h", 1), now=130)
    for other in (("b", "h", 1), ("a", "g", 1), ("a", "h", 2)):
        assert not floods.lasts(other, now=100)


def test_what_a_process_may_be_sent_is_bounded_and_quiet_connections_are_never_cut_off() -> None:
    """Two connections' worth: the third that wants a whole burst does not get it, and one that is quiet goes on."""
    shared = SharedAllowance(1000, 10, connections_worth=2, now=0)
    quiet, *loud = [Allowance.new(1000, 10, now=0) for _ in range(4)]
    assert [shared.take(one, 1000, now=0) for one in loud] == [True, True, False]
    assert shared.take(quiet, 125, now=0)
    assert not shared.take(quiet, 1, now=0)
    assert shared.take(Allowance.new(1000, 10, now=100), 1000, now=100), "it comes back"
