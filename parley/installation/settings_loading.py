"""Reads the settings tree from the environment, once, and says clearly what is wrong with it."""

import difflib
import os
import sys
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from parley.command_error import CommandError
from sessions.settings import Settings

_PREFIX = "PARLEY_"
_OF_TESTS = ("PARLEY_TEST_", "PARLEY_SCHEMATHESIS_")
_OF_CLIENTS = frozenset({"PARLEY_URL", "PARLEY_KEY"})  # the README exports them for curl
_EXIT_USAGE = 2


def load_settings() -> Settings:
    """The settings of this process; a variable's name may be in upper or lower case.

    Raises:
        CommandError: names each variable that is wrong and why, never its value.
    """
    for warning in unknown_variables(os.environ):
        print(f"parley: {warning}", file=sys.stderr)
    said = {name.upper(): value for name, value in os.environ.items()}
    try:
        return Settings.model_validate(
            {field: said[_variable(field)] for field in Settings.model_fields if _variable(field) in said}
        )
    except ValidationError as error:
        reasons = [_reason(details) for details in error.errors(include_input=False, include_url=False)]
    raise CommandError("the settings are wrong: " + "; ".join(reasons), exit_code=_EXIT_USAGE)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A warning for each `PARLEY_…` variable that is no setting, most likely a misspelt one."""
    known = {_variable(name) for name in Settings.model_fields}
    warnings = []
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in known | _OF_CLIENTS or name.startswith(_OF_TESTS):
            continue
        close = difflib.get_close_matches(name, known, n=1)
        warnings.append(f"{name} is no setting and is ignored" + (f"; did you mean {close[0]}?" if close else ""))
    return warnings


def _variable(field: str) -> str:
    return _PREFIX + field.upper()


def _reason(details: ErrorDetails) -> str:
    message = details["msg"].removeprefix("Value error, ")
    if not details["loc"]:
        for field in Settings.model_fields:
            message = message.replace(f"{field} ", f"{_variable(field)} ")
        return message
    return f"{_variable(str(details['loc'][0]))}: {message}"
