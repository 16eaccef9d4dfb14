"""`parley login` and `parley logout`."""

import asyncio
import os
import pty
import stat

from tests.support.running.api_server import MASTER_KEY, ApiServer
from tests.support.running.customer_shell import CustomerShell
from tests.support.running.stack import PARLEY


async def test_login_keeps_a_key_that_works_for_its_owner_only(api: ApiServer, shell: CustomerShell) -> None:
    """0600 in a folder that is 0700; from then on commands need no variables, until logout."""
    shell.set(PARLEY_URL=None, PARLEY_KEY=None)
    said = await shell.run("login", "--url", api.base_url + "/", stdin=MASTER_KEY + "\n")
    assert said.exit_code == 0, said.err
    file = shell.home / ".config" / "parley" / "account.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert MASTER_KEY not in said.out + said.err
    assert (await shell.run("sessions", "list")).exit_code == 0
    shell.set(PARLEY_URL="http://127.0.0.1:1")
    elsewhere = await shell.run("sessions", "list")
    assert (elsewhere.exit_code, api.base_url in elsewhere.err) == (4, True)  # the key went nowhere
    shell.set(PARLEY_URL=None)
    file.chmod(0o644)
    assert "chmod 600" in (await shell.run("sessions", "list")).err
    assert (await shell.run("logout")).exit_code == 0
    assert (await shell.run("sessions", "list")).exit_code == 4


async def test_login_refuses_what_would_not_work(api: ApiServer, shell: CustomerShell) -> None:
    """A wrong key, no key, no URL, a server that isn't there: nothing is kept."""
    for exit_code, url, key in [
        (4, api.base_url, "parley_master_" + "x" * 43),
        (2, api.base_url, ""),
        (2, "ftp://parley.example", MASTER_KEY),
        (2, "https://user:pass@parley.example", MASTER_KEY),
        (3, "http://127.0.0.1:1", MASTER_KEY),
    ]:
        refused = await shell.run("login", "--url", url, stdin=key)
        assert (refused.exit_code, refused.err.count("\n")) == (exit_code, 1), refused.err
    assert not (shell.home / ".config").exists()


async def test_on_a_terminal_the_key_is_typed_unseen(api: ApiServer, shell: CustomerShell) -> None:
    """As a password is."""
    controller, terminal = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            PARLEY, "login", stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        )
        os.close(terminal)
        shown = ""
        async with asyncio.timeout(20):
            while "API key: " not in shown:
                shown += (await asyncio.to_thread(os.read, controller, 65_536)).decode()
            os.write(controller, MASTER_KEY.encode() + b"\n")
            while "takes the key" not in shown:
                shown += (await asyncio.to_thread(os.read, controller, 65_536)).decode()
            assert await process.wait() == 0
    finally:
        os.close(controller)
    assert MASTER_KEY not in shown
