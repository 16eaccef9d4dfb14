"""Opens a storage that is not a local folder: S3, GCS or Azure by URL, configured by the cloud's own variables."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, S3Store, from_url

from store.objects.aws_profile import read_profile

CloudStore: TypeAlias = S3Store | GCSStore | AzureStore

S3_SCHEMES = ("s3", "s3a")
_SCHEMES = (*S3_SCHEMES, "gs", "az", "adl", "abfs", "abfss")
_CLOUDS = {"s3": "AWS", "s3a": "AWS", "gs": "GOOGLE"}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_RETRIES: Any = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}


def open_cloud(
    url: str,
    *,
    connect_seconds: float,
    request_seconds: float,
    environment: Mapping[str, str],
    one_by_one: bool = False,
    endpoint: str | None = None,
) -> CloudStore:
    """The store behind `url`.

    Args:
        request_seconds: bound of one request; three retries come on top.
        endpoint: of an S3; None: what the environment says.
        one_by_one: delete with a request per object, not with S3's DeleteObjects.

    Raises:
        ValueError: the URL is none of those that we know, or AWS's shared files are wrong.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or parts.query or parts.fragment:
        raise ValueError("storage_url must be file:///…, s3://bucket/prefix, gs://bucket/prefix or az://…")
    options: Any = {
        "connect_timeout": timedelta(seconds=connect_seconds),
        "timeout": timedelta(seconds=request_seconds),
    }
    config: dict[str, Any] = {}
    if parts.scheme in S3_SCHEMES:
        profile = read_profile(environment)
        config |= profile.config
        if profile.credentials is not None:
            config["credential_provider"] = profile.credentials
        endpoint = endpoint or next(filter(None, map(environment.get, _ENDPOINTS)), None) or profile.endpoint
        if endpoint:
            config["endpoint"] = endpoint
            options["allow_http"] = endpoint.startswith("http://")  # whoever writes it means it
        if one_by_one:
            config["disable_bulk_delete"] = True
    # As we name options of the client, obstore reads none of them from the environment any more (measured).
    if (allowed := environment.get(f"{_CLOUDS.get(parts.scheme, 'AZURE')}_ALLOW_HTTP")) is not None:
        options["allow_http"] = allowed.strip().lower() in ("true", "1", "yes", "on")
    store = from_url(url, client_options=options, retry_config=_RETRIES, **config)
    assert isinstance(store, (S3Store, GCSStore, AzureStore))
    return store
