"""Options that say where a LiveKit server is, and with which key tokens for its rooms are minted."""

import argparse
from pathlib import Path


def add_livekit_url(parser: argparse.ArgumentParser) -> None:
    """`--url`."""
    parser.add_argument("--url", metavar="URL", default=None, help="LiveKit server, wss://… (default: LIVEKIT_URL)")


def add_livekit_key(parser: argparse.ArgumentParser) -> None:
    """`--livekit-key`, and its secret in a file or, better not, as an argument."""
    parser.add_argument(
        "--livekit-key", metavar="KEY", default=None, help="mint tokens with this key (default: LIVEKIT_API_KEY)"
    )
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument(
        "--livekit-secret-file", metavar="PATH", type=Path, default=None, help="default: LIVEKIT_API_SECRET"
    )
    secret.add_argument(
        "--livekit-secret", metavar="SECRET", default=None, help="better not: everybody on this machine can read it"
    )
