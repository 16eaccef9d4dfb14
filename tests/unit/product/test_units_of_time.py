"""The sample rate and the nanoseconds of a second are written down once; everything else is made of them."""

import ast

from tests.support.rules.product_code import product_modules

_HOMES = {
    # An example is what a client sees, and not computed.
    48_000: {"audio.pcm", "control_api.outputs.recordings.examples"},
    1_000_000_000: {"store.database.boot_clock"},
}


def test_nobody_restates_the_sample_rate_or_a_second() -> None:
    """Whoever writes the number has a second truth: a rate that changes in one place only moves audio in time."""
    found = {number: set[str]() for number in _HOMES}
    for name, tree in product_modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value in found:
                found[round(node.value)].add(name)

    assert found == _HOMES
