"""Opens a storage that is not a local folder: S3, GCS or Azure by URL, configured by the cloud's own variables."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, S3Store, from_url

CloudStore: TypeAlias = S3Store | GCSStore | AzureStore

S3_SCHEMES = ("s3", "s3a")
_SCHEMES = (*S3_SCHEMES, "gs", "az", "adl", "abfs", "abfss")
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
        ValueError: the URL is none of those that we know.
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
        endpoint = endpoint or environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
        if endpoint:
            config["endpoint"] = endpoint
            if endpoint.startswith("http://") and "AWS_ALLOW_HTTP" not in environment:  # whoever writes it means it
                options["allow_http"] = True
        if one_by_one:
            config["disable_bulk_delete"] = True
    store = from_url(url, client_options=options, retry_config=_RETRIES, **config)
    assert isinstance(store, (S3Store, GCSStore, AzureStore))
    return store
