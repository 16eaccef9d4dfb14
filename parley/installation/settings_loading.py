"""Reads the settings tree from the environment, once, and says clearly what is wrong with it."""

import difflib
import os
import re
import sys
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from parley.command_error import CommandError
from sessions.settings import Settings

_PREFIX = "PARLEY_"
_OF_TESTS = ("PARLEY_TEST_", "PARLEY_SCHEMATHESIS_")
_OF_CLIENTS = frozenset({"PARLEY_URL", "PARLEY_KEY"})  # the README exports them for curl
_DEFAULT_PREFIX = "PARLEY_DEFAULT_"
_FILE_SUFFIX = "_FILE"  # PARLEY_SECRET_KEY_FILE=/run/secrets/key: the value is the file's text
SECRET_FIELDS = (
    "database_url",
    "database_direct_url",
    "secret_key",
    "master_key",
    "operator_key",
    "speech_key",
    "summary_key",
)
_MOST_SECRET_BYTES = 65_536
_EXIT_USAGE = 2
_FIELD = re.compile(rf"\b({'|'.join(name for name in Settings.model_fields if '_' in name)})\b")  # in a sentence

# What Kubernetes puts into the environment of every container for a Service called parley, parley-api, ….
_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://\S+:\d+")
_LINK_NAME = re.compile(
    r"(?P<service>PARLEY(_\w+?)??)_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


def load_settings() -> Settings:
    """The settings of this process; a variable's name may be in upper or lower case, and empty is unset.

    What is unset may have a default of the image's own in `PARLEY_DEFAULT_…`.

    Raises:
        CommandError: names each variable that is wrong and why, never its value.
    """
    environment = _with_files(os.environ)
    for warning in (*service_links(os.environ), *unknown_variables(os.environ)):
        print(f"parley: {warning}", file=sys.stderr)
    try:
        return Settings.model_validate(said(environment))
    except ValidationError as error:
        reasons = [_reason(details) for details in error.errors(include_input=False, include_url=False)]
    raise CommandError("the settings are wrong: " + "; ".join(reasons), exit_code=_EXIT_USAGE)


def said(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that an environment names, by their fields' names: without empty ones and service links."""
    names = {name.upper(): value.strip() for name, value in environment.items()}
    found = {}
    for field in Settings.model_fields:
        for name in (_variable(field), _DEFAULT_PREFIX + field.upper()):
            if (value := names.get(name)) and not _is_link(name, value):
                found[field] = value
                break
    return found


def _with_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the secrets that lie in files (`PARLEY_SECRET_KEY_FILE`).

    Raises:
        CommandError: a file can't be read, or its secret is given as a value, too.
    """
    found = dict(environment)
    for name in map(_variable, SECRET_FIELDS):
        path = environment.get(name + _FILE_SUFFIX)
        if not path:
            continue
        if environment.get(name):
            raise CommandError(f"{name} and {name}{_FILE_SUFFIX} are both set: leave one out", exit_code=_EXIT_USAGE)
        try:
            with open(path, encoding="utf-8") as file:
                found[name] = file.read(_MOST_SECRET_BYTES).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
            raise CommandError(f"{name}{_FILE_SUFFIX} can't be read: {reason}", exit_code=_EXIT_USAGE) from None
        if not found[name]:
            raise CommandError(f"{name}{_FILE_SUFFIX} names an empty file", exit_code=_EXIT_USAGE)
    return found


def service_links(environment: Mapping[str, str]) -> list[str]:
    """A warning for each setting in whose place Kubernetes has put the address of a Service."""
    return [
        f"{name} holds the address of a Kubernetes Service and is ignored; enableServiceLinks: false keeps it out"
        for name in sorted(environment)
        if name in {_variable(field) for field in Settings.model_fields} and _is_link(name, environment[name])
    ]


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A warning for each `PARLEY_…` variable that is no setting, most likely a misspelt one."""
    known = {prefix + name.upper() for name in Settings.model_fields for prefix in (_PREFIX, _DEFAULT_PREFIX)}
    known |= {_variable(name) + _FILE_SUFFIX for name in SECRET_FIELDS}
    warnings = []
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in known | _OF_CLIENTS or name.startswith(_OF_TESTS):
            continue
        if (link := _LINK_NAME.fullmatch(name)) and f"{link['service']}_SERVICE_HOST" in environment:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        warnings.append(f"{name} is no setting and is ignored" + (f"; did you mean {close[0]}?" if close else ""))
    return warnings


def _is_link(name: str, value: str) -> bool:
    return name.endswith("_PORT") and _LINK_VALUE.fullmatch(value) is not None


def _variable(field: str) -> str:
    return _PREFIX + field.upper()


def _reason(details: ErrorDetails) -> str:
    message = details["msg"].removeprefix("Value error, ")
    if not details["loc"]:
        return _FIELD.sub(lambda found: _variable(found[0]), message)
    return f"{_variable(str(details['loc'][0]))}: {message}"
