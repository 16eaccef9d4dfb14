"""An S3 that refuses us when a recording is to be built: it waits, and nothing is lost, billed or declared for that."""

import os
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sessions.lifecycle.lifecycle import Status
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.freeze import FrozenPlan, Product
from tests.support.running.engine import Engine
from tests.support.samples.loss import Loss
from worker.outputs.product.finalizer import Finalizer

Credentials = dict[str, str]
Refusal = Callable[[str], Credentials]


@contextmanager
def guarded(endpoint: str) -> Iterator[None]:
    """The server looks at credentials in this block."""

    def look_after(requests: str) -> None:
        url, plain = f"{endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(url, requests.encode(), plain, method="POST"), timeout=10).close()

    look_after("0")
    try:
        yield
    finally:
        look_after("inf")


def wrong(endpoint: str) -> Credentials:
    """A key that nobody has made: InvalidAccessKeyId."""
    return {"AWS_ACCESS_KEY_ID": "AKIANOBODY", "AWS_SECRET_ACCESS_KEY": "nothing"}


def refused(endpoint: str) -> Credentials:
    """A key whose user may do nothing: AccessDenied."""

    def ask(**parameters: str) -> ElementTree.Element:
        signed = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x"
        query = urllib.parse.urlencode({"Version": "2010-05-08", **parameters})
        request = urllib.request.Request(endpoint, query.encode(), {"Authorization": signed}, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return ElementTree.fromstring(answer.read())

    name = f"user-{os.urandom(4).hex()}"
    ask(Action="CreateUser", UserName=name)
    made = ask(Action="CreateAccessKey", UserName=name)
    found = {element.tag.rpartition("}")[2]: element.text or "" for element in made.iter()}
    return {"AWS_ACCESS_KEY_ID": found["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"]}


@pytest.fixture
async def loss(database_url: str, s3: Objects, tmp_path: Path) -> AsyncIterator[Loss]:
    """Everything fresh, on S3."""
    async with Engine.open(database_url) as engine:
        yield Loss(engine, s3, tmp_path / "data")


@pytest.mark.parametrize("moment", ["before", "between the plan and the build"])
@pytest.mark.parametrize("refusal", [wrong, refused])
async def test_finalizing_waits_for_credentials_that_the_storage_takes(
    loss: Loss,
    s3_endpoint: str,
    refusal: Refusal,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """The session stays `ending`; with the right ones everything that was recorded is in the file, and nothing else."""
    fence = await loss.engine.running()
    await loss.identity.confirm()
    stored, _ = await loss.upload(fence, range(1, 4))
    await loss.engine.beat(fence)
    await loss.end_after(fence, 3.0)
    await loss.engine.beat(fence)
    await loss.engine.runs.seal(fence, stored)
    ours = loss.objects
    for name, value in refusal(s3_endpoint).items():
        monkeypatch.setenv(name, value)
    theirs = Objects.open(f"s3://bucket/parley/{abs(hash(request.node.nodeid))}")

    async def build_refused(finalizer: Finalizer, name: str, frozen: FrozenPlan) -> Product:
        finalizer._objects = theirs
        with guarded(s3_endpoint):
            return await build(finalizer, name, frozen)

    build = Finalizer._build_and_store
    if moment == "before":
        loss.objects = theirs
        with guarded(s3_endpoint), pytest.raises(StorageError):
            await loss.recording(fence)
        assert await loss.engine.sql("SELECT FROM recordings") == [], "nothing was looked for, nothing is frozen"
    else:
        with monkeypatch.context() as patched:
            patched.setattr(Finalizer, "_build_and_store", build_refused)
            with pytest.raises(StorageError):
                await loss.recording(fence)
    assert await loss.engine.status(fence.session_id) == Status.ENDING

    loss.objects = ours
    assert await loss.recording(fence) == ("available", None, [])
    bill: list[Any] = await loss.engine.bill(fence.session_id)
    assert {row.kind for row in bill} <= {"accrual", "final"}, "nobody's money is given back for a delay"
    assert sum(row.milliseconds for row in bill) == 3000
