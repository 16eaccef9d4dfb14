"""`parley dev`: the whole stack in the foreground, with what is needed to try it."""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from parley.installation import secrets
from parley.installation.settings_loading import load_settings
from parley.installation.worker_tokens import recorder_token
from parley.servers.local_stack import LocalStack, die_with_make, interrupt_on_sigterm
from parley.servers.sign_in_link import SignInLink

_POLL_SECONDS = 0.2
_ROOM = "my-room"
_GRACE_SECONDS = "1"  # no other worker on this machine could take over
# A developer's receivers are on loopback, in clear, at any port.
_WEBHOOKS_ANYWHERE = {
    "PARLEY_WEBHOOK_ALLOW_HTTP": "true",
    "PARLEY_WEBHOOK_ALLOW_PRIVATE_HOSTS": "true",
    "PARLEY_WEBHOOK_PORTS": "0",
}


def run_dev() -> int:
    """Run until Ctrl-C or SIGTERM.

    Raises:
        CommandError: something does not start, or has ended by itself.
    """
    die_with_make()
    interrupt_on_sigterm()
    settings = load_settings()
    data_dir = settings.data_dir.absolute()
    master_key = settings.master_key or secrets.development_master_key(data_dir)
    environment = {
        "PARLEY_GRACE_SECONDS": _GRACE_SECONDS,
        "PARLEY_ALLOW_PRIVATE_HOSTS": "true",
        **_WEBHOOKS_ANYWHERE,
        **os.environ,
        "PARLEY_MASTER_KEY": master_key.get_secret_value(),
    }
    logs = data_dir / "logs"
    stack = LocalStack(data_dir, environment, livekit_binary=settings.livekit_server, logs=logs, progress=_progress)
    try:
        with stack, _sign_in_link(stack, master_key.get_secret_value()) as link:
            print(_welcome(stack, master_key.get_secret_value(), link.url, logs, _webhooks(environment)), flush=True)
            while True:
                stack.check()
                time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def _sign_in_link(stack: LocalStack, master_key: str) -> SignInLink:
    """To the page on which one talks; it may talk to our LiveKit server, and mints its tokens itself."""
    livekit = stack.livekit
    return SignInLink(
        f"{stack.api_url}/talk?{urlencode({'livekit': livekit.url})}",
        {
            "key": master_key,
            "livekit_url": livekit.url,
            "livekit_key": livekit.api_key,
            "livekit_secret": livekit.api_secret,
        },
        lambda url: print(f"Signed in. To sign in again: {url}", flush=True),
    )


def _webhooks(environment: Mapping[str, str]) -> str:
    """Where webhooks may go."""
    if all(environment[name] == value for name, value in _WEBHOOKS_ANYWHERE.items()):
        return "may go to loopback: http, private hosts, any port"
    return "go where " + ", ".join(f"{name}={environment[name]}" for name in _WEBHOOKS_ANYWHERE) + " allows"


def _welcome(stack: LocalStack, master_key: str, link: str, logs: Path, webhooks: str) -> str:
    livekit = stack.livekit
    transport = {
        "type": "livekit",
        "url": livekit.url,
        "room_name": _ROOM,
        "worker_token": recorder_token(livekit.api_key, livekit.api_secret, _ROOM),
        "synthetic_audio_if_no_input": True,
    }
    body = json.dumps({"transport": transport, "idle_timeout_seconds": 600})
    return f"""
Talk, and hear the recording (this link signs you in, once):

  {link}

Parley runs. Ctrl-C stops everything.

  pages        {stack.api_url}
  logs         {logs}/api.log, worker.log
  API          {stack.api_url}   (operations: {stack.api_url}/docs)
  worker       {stack.worker_url}   (/healthz, /readyz, /metrics)
  LiveKit      {livekit.url}   key {livekit.api_key}   secret {livekit.api_secret}
  webhooks     {webhooks}
  data         {stack.data_dir}
  master key   {master_key}

Record the room {_ROOM!r} (after ten seconds alone a 440 Hz tone, until somebody joins):

  curl -s {stack.api_url}/v1/sessions \\
    -H 'Authorization: Bearer {master_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{body}'

or, with two talkers in it, in another terminal (docs/guides/cli.md says what else there is):

  export PARLEY_URL={stack.api_url} PARLEY_KEY={master_key}
  export LIVEKIT_URL={livekit.url} LIVEKIT_API_KEY={livekit.api_key} LIVEKIT_API_SECRET={livekit.api_secret}
  {_program()} sessions create --room {_ROOM}
  {_program()} demo talkers --room {_ROOM} --seconds 30
"""


def _program() -> str:
    """How one types `parley` here: by its path unless it is on PATH."""
    beside = Path(sys.executable).with_name("parley")
    return "parley" if shutil.which("parley") or not beside.exists() else str(beside)


def _progress(line: str) -> None:
    print(f"parley dev: {line}", flush=True)
