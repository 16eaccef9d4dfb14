"""Loaded by the schemathesis process (SCHEMATHESIS_HOOKS): what goes out, what is checked besides, what is counted."""

import atexit
import gc
import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import schemathesis
from pydantic import SecretStr
from schemathesis import Case, CheckContext, HookContext
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from control_api.operations import OPERATIONS
from store.access.vault import LinkSigner
from tests.support.fuzzing.cast import Cast
from tests.support.fuzzing.excuses import excuse
from tests.support.fuzzing.mender import Mender, is_wrong_at, operation_id
from tests.support.fuzzing.scene import Scene
from tests.support.fuzzing.stand_in_worker import StandInWorker
from tests.support.fuzzing.traces import Traces

_DATABASE_URL = os.environ["FUZZING_DATABASE_URL"]
_SECRET = os.environ["FUZZING_SECRET_KEY"]
_TALLY = Path(os.environ["FUZZING_TALLY"])
_OWNER, _OPERATOR = (f"Bearer {os.environ[name]}" for name in ("FUZZING_KEY", "FUZZING_OPERATOR_KEY"))
_OF_OPERATORS = {operation.name for operation in OPERATIONS if operation.operator}

STREAM_PATH = "/events/stream"

_worker = StandInWorker(_DATABASE_URL, os.environ["FUZZING_STORAGE_URL"], _SECRET).__enter__()
_traces = Traces(_DATABASE_URL)
_cast = Cast(_worker)
_scene = Scene(_cast, os.environ["FUZZING_BASE_URL"], os.environ["FUZZING_KEY"])
_mender = Mender(_cast, _scene, LinkSigner([SecretStr(_SECRET)]))
_answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
_excused: defaultdict[str, Counter[str]] = defaultdict(Counter)
_checked = 0
_scene.open()
# What is loaded stays, and made-up cases are many and die young. With the constants that are kept (run.py) this saves a
# fifth of what schemathesis computes.
gc.freeze()
gc.set_threshold(50_000, 20, 50)


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Close the schemas of answers, which are open for clients of tomorrow: ours have no member that is not there."""
    del context
    _leave_out_streams(raw_schema)
    for name, schema in raw_schema["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Request"):
            schema.setdefault("additionalProperties", False)


def _leave_out_streams(raw_schema: dict[str, Any]) -> None:
    """They have no end that could be waited for; tests/integration/control_api/events has their tests."""
    for path in [path for path in raw_schema["paths"] if path.endswith(STREAM_PATH)]:
        del raw_schema["paths"][path]
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                response.get("links", {}).pop("stream_session_events", None)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Mend the case in place; forget what was written before. What is the operator's is asked with another key."""
    del context, kwargs
    if operation_id(case) in _OF_OPERATORS and case.headers.get("Authorization") == _OWNER:
        case.headers["Authorization"] = _OPERATOR
    _mender.mend(case)
    _traces.take()


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Count it, and let the session go on."""
    del context
    operation = operation_id(case)
    if response.request.method != case.operation.method.upper():  # a method that the path hasn't
        operation = f"{response.request.method} {case.operation.path}"
    _answers[operation][str(response.status_code)] += 1
    if 200 <= response.status_code < 400:
        _mender.succeeded.add(operation)
        if operation in ("create_session", "create_task_session"):
            _cast.enter(response.json())
        else:
            _cast.learn(operation, case.path_parameters or {})
            _scene.key_used((case.path_parameters or {}).get("key_id", ""))


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Whether it is one: a schema says what a request looks like, not whether it makes sense."""
    del context
    code = response.headers.get("x-error-code", [""])[0]
    if isinstance(failure, EnsureResourceAvailability):
        # The session is there, but no recording or transcript of it; or another style's DELETE took it away; or it
        # was asked for as another project's, which /v1/sessions/summary/regenerate does in the body.
        named_in_body = operation_id(case) == "regenerate_session_summary"
        return code == "not_found" and not named_in_body and not _cast.is_deleted(case)
    if isinstance(failure, AcceptedNegativeData):
        return not (response.status_code == 404 and is_wrong_at(case, ParameterLocation.PATH))
    if not isinstance(failure, RejectedPositiveData):
        return True
    excused = excuse(operation_id(case), code, _param(response))
    if excused is None:
        return True
    _excused[operation_id(case)][excused] += 1
    return False


@schemathesis.check
def refused_requests_write_nothing(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """Nothing in the database is other than before."""
    global _checked
    del ctx
    _checked += 1
    if response.status_code < 400:
        return True
    written = _traces.take()
    assert not written, (
        f"{operation_id(case)} answered {response.status_code} and wrote to {', '.join(sorted(written))}"
    )
    return None


@schemathesis.check
def deleted_sessions_are_gone(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """Deleted by one document's operation, no other document's finds them."""
    del ctx
    deleting = case.operation.method.upper() == "DELETE"
    if deleting or not _cast.is_deleted(case):
        return True
    assert response.status_code >= 400, f"{operation_id(case)} answered {response.status_code} about a deleted session"
    return None


def _param(response: Response) -> str | None:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError):
        return None
    return error.get("param") if isinstance(error, dict) else None


@atexit.register
def _report() -> None:
    tally = {"answers": _answers, "excused": _excused, "checked": _checked, "finished": len(_worker.finished)}
    _TALLY.write_text(json.dumps(tally, indent=1, sort_keys=True))
    _traces.close()
    _worker.__exit__()
