"""The overview as it is shown."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import get_args

from control_api.service.operator.models import (
    CodeCount,
    JobKind,
    LastHour,
    LiveSessions,
    OperatorOverview,
    Processes,
    Queue,
    RecordingHost,
    StorageState,
    Workers,
)
from sessions.codes import CODES, Fault
from sessions.texts.timestamps import format_timestamp
from store.installation.overview import Overview


def present_overview(
    found: Overview,
    *,
    sessions_per_process: int,
    storage_answers: bool,
    troubles: Sequence[str],
    local: bool,
    free_bytes: int | None,
) -> OperatorOverview:
    """All of it.

    Args:
        local: whether the storage is a folder, of whose disk `free_bytes` are free.
    """
    now = found.now
    recorders = now["recorder_processes"] or 0
    return OperatorOverview(
        object="operator_overview",
        version=version("parley"),
        as_of=format_timestamp(found.at),
        queue=Queue(waiting=now["waiting"], oldest_wait_seconds=now["oldest_wait_seconds"], scheduled=now["scheduled"]),
        sessions=LiveSessions(
            starting=now["starting"], running=now["running"], paused=now["paused"], ending=now["ending"]
        ),
        workers=Workers(
            processes=Processes(
                api=now["api_processes"] or 0,
                recorders=recorders,
                jobs=now["job_processes"] or 0,
                webhooks=now["webhook_processes"] or 0,
            ),
            slots=recorders * sessions_per_process,
            slots_used=sum(host["sessions"] for host in found.hosts),
            hosts=[RecordingHost(**host) for host in found.hosts],
        ),
        jobs=[JobKind(**job) for job in found.jobs],
        storage=StorageState(
            status="ok" if storage_answers else "unavailable",
            troubles=list(troubles),
            local=local,
            free_bytes=free_bytes,
            unsealed_runs=now["unsealed_runs"],
            erasures=now["erasures"],
            failing_erasures=now["failing_erasures"],
        ),
        last_hour=_last_hour(found),
    )


def _last_hour(found: Overview) -> LastHour:
    statuses: Counter[str] = Counter()
    for row in found.finished:
        statuses[row["status"]] += row["sessions"]
    failures = [
        CodeCount(code=row["error_code"], fault=_fault_of(row["error_code"]), sessions=row["sessions"])
        for row in found.finished
        if row["status"] == "failed"
    ]
    faults: dict[Fault, int] = dict.fromkeys(get_args(Fault), 0)
    for failure in failures:
        faults[failure.fault] += failure.sessions
    return LastHour(
        **found.begun,
        ended=statuses["ended"],
        failed=statuses["failed"],
        canceled=statuses["canceled"],
        incomplete_recordings=sum(row["incomplete"] for row in found.finished),
        faults=faults,
        failures=failures,
    )


def _fault_of(code: str) -> Fault:
    return CODES[code].fault if code in CODES else "platform"  # of another release
