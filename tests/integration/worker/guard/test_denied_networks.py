"""Both guards, with the kernel as the witness: what they refuse is not even asked for by a packet."""

import os
import shutil
from pathlib import Path

import pytest

from tools.attack.drills.denied_networks import dial_inside


async def test_no_packet_goes_to_a_network_that_is_denied(tmp_path: Path) -> None:
    """Every spelling, rebinding name and redirect, past the guard of rooms and as a webhook; others are dialed."""
    if os.geteuid() != 0 or shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin") is None:
        if "CI" in os.environ and os.geteuid() == 0:
            pytest.fail("nft is missing: apt-get install nftables")
        pytest.skip("namespaces and counters need root and nft")
    found = await dial_inside(tmp_path, "--without-joins")
    assert found["guard_attempts"] >= 200
    assert found["hook_attempts"] >= 150
    assert (found["guard_packets"], found["hook_packets"]) == (0, 0)
