"""What the service says of itself."""

from typing import Literal

from control_api.http.answers.models import AnswerModel
from control_api.http.answers.page import Page
from sessions.codes import Fault, Kind


class CodeEntry(AnswerModel):
    """One code of the registry."""

    object: Literal["code"]
    code: str
    kind: Kind
    fault: Fault
    retryable: bool
    billable: bool
    http_status: int | None
    help: str


class CodeList(Page[CodeEntry]):
    """The whole registry."""


class Health(AnswerModel):
    """The process answers."""

    object: Literal["health"]
    status: Literal["ok"]


class Dependencies(AnswerModel):
    """Whether the database and the object storage answer."""

    database: Literal["ok", "unavailable"]
    storage: Literal["ok", "unavailable"]


class Readiness(AnswerModel):
    """Whether requests should be sent here; degraded: they should, and somebody should look at the troubles."""

    object: Literal["readiness"]
    status: Literal["ready", "degraded"]
    dependencies: Dependencies
    troubles: list[str]


class ServiceStatus(AnswerModel):
    """Whether the service works, and which version it is; for people."""

    object: Literal["status"]
    status: Literal["operational", "degraded"]
    version: str
    dependencies: Dependencies
    troubles: list[str]
