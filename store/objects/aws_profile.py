"""What AWS's shared files say: a profile of `~/.aws/credentials` and `~/.aws/config`, which obstore does not read.

The environment comes first, as in AWS's own SDKs: access keys, then a web identity, then the profile. A profile's keys
are read again every five minutes, so that whoever rotates them need restart nothing.
"""

from collections.abc import Callable, Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # obstore has it for type checkers only
    from obstore.store import S3Credential

_FRESH = timedelta(minutes=5)
_KEYS = ("aws_access_key_id", "aws_secret_access_key")
_WEB_IDENTITY = ("role_arn", "web_identity_token_file")
# Ways of a profile to get keys that would need another program, another request or a browser.
_UNSUPPORTED = ("credential_process", "source_profile", "credential_source", "sso_session", "sso_start_url")
_ELSEWHERE = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")


@dataclass(frozen=True, slots=True)
class AwsProfile:
    """What a profile gives.

    Attributes:
        credentials: asks for the keys; None: it has none of its own.
        config: what else it says, as obstore names it; never what the environment says.
        endpoint: where the storage is; None: it does not say.
    """

    credentials: "Callable[[], S3Credential] | None" = None
    config: dict[str, str] = field(default_factory=dict)
    endpoint: str | None = None


def read_profile(environment: Mapping[str, str]) -> AwsProfile:
    """The profile that `AWS_PROFILE` names, else `default`, which need not exist.

    Raises:
        ValueError: `AWS_PROFILE` names none, a file can't be read, or its keys come from something unsupported.
    """
    named = environment.get("AWS_PROFILE")
    found = _read(environment, named or "default")
    if found is None:
        if named:
            raise ValueError(f"AWS_PROFILE: there is no profile {named!r} in AWS's shared files")
        return AwsProfile()
    config = {} if "AWS_REGION" in environment or "AWS_DEFAULT_REGION" in environment else _renamed(found, "region")
    endpoint = found.get("endpoint_url")
    if any(environment.get(name) for name in _ELSEWHERE):
        return AwsProfile(config=config, endpoint=endpoint)
    if all(found.get(name) for name in _KEYS):
        return AwsProfile(lambda: _credential(environment, named or "default"), config, endpoint)
    if all(found.get(name) for name in _WEB_IDENTITY):
        return AwsProfile(config={**config, **_renamed(found, *_WEB_IDENTITY, "role_session_name")}, endpoint=endpoint)
    unsupported = [name for name in _UNSUPPORTED if name in found]
    if named and unsupported:
        raise ValueError(f"AWS_PROFILE: the profile {named!r} has {unsupported[0]}, which Parley does not support")
    return AwsProfile(config=config, endpoint=endpoint)


def _credential(environment: Mapping[str, str], name: str) -> "S3Credential":
    found = _read(environment, name) or {}
    return {
        "access_key_id": found.get(_KEYS[0], ""),
        "secret_access_key": found.get(_KEYS[1], ""),
        "token": found.get("aws_session_token"),
        "expires_at": datetime.now(UTC) + _FRESH,
    }


def _read(environment: Mapping[str, str], name: str) -> dict[str, str] | None:
    home = Path(environment.get("HOME") or "/")
    config = _sections(Path(environment.get("AWS_CONFIG_FILE") or home / ".aws/config"))
    credentials = _sections(Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws/credentials"))
    sections = [config.get("default" if name == "default" else f"profile {name}"), credentials.get(name)]
    if all(section is None for section in sections):
        return None
    return {key: value for section in sections if section is not None for key, value in section.items()}


def _sections(path: Path) -> dict[str, dict[str, str]]:
    parser = ConfigParser(interpolation=None, default_section="no such section", strict=False)
    try:
        parser.read_string(path.expanduser().read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, Error) as error:
        raise ValueError(f"AWS's shared file {path} can't be read: {type(error).__name__}") from None
    return {name: dict(parser[name]) for name in parser.sections()}


def _renamed(found: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: found[name] for name in names if found.get(name)}
