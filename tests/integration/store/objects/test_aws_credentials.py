"""Whose keys an S3 storage is used with (the environment's, a web identity's, a profile's), and the way to it."""

import asyncio
import io
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from store.objects import aws_profile
from store.objects.errors import StorageError
from store.objects.objects import Objects
from tests.support.services.fake_sts import fake_sts
from tests.support.services.lacking_storage import LackingStorage, lacking_storage

CREDENTIALS = """
[default]
aws_access_key_id = KEYOFDEFAULT
aws_secret_access_key = something
[recorder]
aws_access_key_id = KEYOFPROFILE
aws_secret_access_key = some%thing
aws_session_token = token
"""


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LackingStorage]:
    """With AWS's files in the home folder, and nothing else in the environment than where it is."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(CREDENTIALS)
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    with lacking_storage() as opened:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_ENDPOINT_URL", opened.endpoint)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        yield opened


async def used_key(storage: LackingStorage) -> str:
    """What a new process signs with; a link has the same key."""
    objects = Objects.open(storage.url)
    await objects.put_bytes("a", b"")
    link = await objects.signed_url("a", 60)
    assert link is not None
    assert f"X-Amz-Credential={storage.keys[-1]}%2F" in link
    return storage.keys[-1]


async def test_the_environment_comes_before_the_profile(
    storage: LackingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`default` without anything, `AWS_PROFILE`, and access keys before both."""
    assert await used_key(storage) == "KEYOFDEFAULT"
    monkeypatch.setenv("AWS_PROFILE", "recorder")
    assert await used_key(storage) == "KEYOFPROFILE"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEYOFENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    assert await used_key(storage) == "KEYOFENVIRONMENT"


async def test_a_profile_may_say_where_the_storage_is(
    storage: LackingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Region and endpoint, unless the environment says them."""
    (tmp_path / ".aws/config").write_text(
        f"[profile recorder]\nregion = eu-north-1\nendpoint_url = {storage.endpoint}\n"
    )
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_PROFILE", "recorder")
    assert await used_key(storage) == "KEYOFPROFILE"
    link = await Objects.open(storage.url).signed_url("a", 60)
    assert link is not None
    assert "%2Feu-north-1%2Fs3%2F" in link


async def test_rotated_keys_of_a_profile_are_taken_without_a_restart(
    storage: LackingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When what was read is not fresh any more."""
    monkeypatch.setattr(aws_profile, "_FRESH", timedelta(0))
    objects = Objects.open(storage.url)
    await objects.put_bytes("a", b"")
    (tmp_path / ".aws/credentials").write_text(CREDENTIALS.replace("KEYOFDEFAULT", "KEYOFTODAY"))
    await objects.put_bytes("a", b"")
    assert storage.keys == ["KEYOFDEFAULT", "KEYOFTODAY"]


@pytest.mark.parametrize("by", ["environment", "profile"])
async def test_a_web_identity_gets_keys_of_sts(
    storage: LackingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """As Kubernetes gives one to a service account; keys that end soon are got anew, with the token of then."""
    token = tmp_path / "token"
    token.write_text("a token of the cluster")
    role = "arn:aws:iam::123456789012:role/recorder"
    if by == "environment":
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ROLE_ARN", role)
        monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "parley")
    else:
        monkeypatch.setenv("AWS_PROFILE", "cluster")
        (tmp_path / ".aws/config").write_text(
            f"[profile cluster]\nrole_arn = {role}\nweb_identity_token_file = {token}\nrole_session_name = parley\n"
        )
    with fake_sts(tmp_path) as sts:
        monkeypatch.setenv("SSL_CERT_FILE", str(sts.authority))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        sts.lifetime = timedelta(seconds=1)
        objects = Objects.open(storage.url)
        await objects.put_bytes("a", b"")
        token.write_text("its successor")
        await asyncio.sleep(0.2)  # obstore does not ask twice within a tenth of a second
        sts.lifetime = timedelta(hours=1)
        for _ in range(2):
            await objects.put_bytes("a", b"")
        link = await objects.signed_url("a", 60)
    assert storage.keys == ["KEYOFSTS1", "KEYOFSTS2", "KEYOFSTS2"]
    assert link is not None
    assert "X-Amz-Credential=KEYOFSTS2%2F" in link
    assert "X-Amz-Security-Token=session+token" in link
    tokens = [asked.pop("WebIdentityToken") for asked in sts.asked]
    assert tokens == ["a token of the cluster", "its successor"]
    for asked in sts.asked:
        assert (asked["Action"], asked["RoleArn"], asked["RoleSessionName"]) == (
            "AssumeRoleWithWebIdentity",
            role,
            "parley",
        )


async def test_sts_has_to_be_trusted(
    storage: LackingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """By the system's authorities or those of `SSL_CERT_FILE`: no token is shown to anybody else."""
    (tmp_path / "token").write_text("a token of the cluster")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/recorder")
    with fake_sts(tmp_path) as sts:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(sts.authority))  # means nothing to obstore
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        with pytest.raises(StorageError):
            await Objects.open(storage.url, request_seconds=1).ping()
    assert "or of STS, is not trusted" in log.getvalue()
    assert (sts.asked, storage.requests) == ([], [])


async def test_a_proxy_is_asked_unless_the_storage_is_an_exception(
    storage: LackingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`HTTP_PROXY` and `NO_PROXY`, which many clusters set for every program."""
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        await Objects.open(storage.url).put_bytes("a", b"")
        assert asked == []
        monkeypatch.delenv("NO_PROXY")
        with pytest.raises(StorageError):
            await Objects.open(storage.url).put_bytes("b", b"")
    assert asked[0].startswith(f"PUT {storage.endpoint}/".encode())


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "there is no profile 'elsewhere'"),
        ("[profile elsewhere]\ncredential_process = /bin/get\n", "has credential_process, which Parley does not"),
        ("[profile elsewhere]\nsource_profile = recorder\nrole_arn = x\n", "has source_profile, which Parley does not"),
        ("no section\n", "can't be read: MissingSectionHeaderError"),
    ],
)
def test_a_profile_that_gives_no_keys_is_refused(
    storage: LackingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, said: str
) -> None:
    """At the start, in a sentence; nothing else is tried in its place."""
    (tmp_path / ".aws/config").write_text(config)
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")
    with pytest.raises(ValueError, match=said):
        Objects.open(storage.url)
