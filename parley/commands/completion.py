"""`parley completion`: a script that completes the command line, made from its parser."""

import argparse

import shtab


def run_completion(parser: argparse.ArgumentParser, shell: str) -> int:
    """Print the script for `shell`."""
    print(shtab.complete(parser, shell=shell))
    return 0
