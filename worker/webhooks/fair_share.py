"""How many of the places that all organizations share one of them may have."""


def fair_share(in_all: int, most_each: int, takers: int) -> int:
    """At least 1, at most `most_each`, and as much as leaves an equal share to one more organization that may come.

    Args:
        takers: organizations that have some or wait for some.
    """
    return max(min(most_each, in_all // (takers + 1)), 1)
