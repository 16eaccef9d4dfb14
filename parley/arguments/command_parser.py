"""The parser of all commands."""

import argparse
import difflib
import re
from typing import NoReturn

_INVALID_CHOICE = re.compile(r"(?P<where>.*invalid choice: )'(?P<word>[^']*)' \(choose from (?P<choices>.*)\)")


class CommandParser(argparse.ArgumentParser):
    """argparse's, which answers a misspelt word with the nearest one instead of the list of all."""

    def error(self, message: str) -> NoReturn:
        """End the program with a sentence."""
        if found := _INVALID_CHOICE.fullmatch(message):
            choices = re.findall(r"'([^']*)'", found["choices"])
            if near := difflib.get_close_matches(found["word"], choices, n=1):
                message = f"{found['where']}'{found['word']}'; did you mean {near[0]}?"
        super().error(message)
