"""The bodies of the commands on a session."""

from control_api.schemas.create_session import WorkerToken
from control_api.schemas.strictness import RequestModel


class EmptyRequest(RequestModel):
    """A command without members: send nothing, or `{}`."""


class ReplaceWorkerTokenRequest(RequestModel):
    """A fresh token for the same room and the same `sub`."""

    worker_token: WorkerToken
