"""`parley sessions list | get | end | cancel | pause | resume`."""

import argparse

from parley.api_commands.session_end import charged, exit_code_of, told, wait
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient, Resource
from parley.client.sessions import newest_sessions, session_path
from parley.terminal.printing import print_document, print_json_line, print_table, say

_FILTERS = (
    "status",
    "agent_id",
    "task_id",
    "project_id",
    "tag",
    "external_customer_id",
    "created_after",
    "created_before",
)
_HEAD = ("ID", "STATUS", "CREATED", "BILLED", "ROOM", "TITLE")


def run_list(arguments: argparse.Namespace) -> int:
    """Print sessions, newest first: a table, or with `--json` one document per line."""
    filters = {name: value for name in _FILTERS if (value := getattr(arguments, name))}

    async def list_(api: ApiClient) -> None:
        rows = []
        async for session in newest_sessions(api, filters, limit=None if arguments.all else arguments.limit):
            if arguments.json:
                print_json_line(session)
            else:
                rows.append(_row(session))
        if rows:
            print_table(_HEAD, rows)
        elif not arguments.json:
            say("no sessions")

    with_api(list_)
    return 0


def run_get(arguments: argparse.Namespace) -> int:
    """Print one session."""
    session = with_api(lambda api: api.ask("GET", session_path(arguments.session_id)))
    if arguments.json:
        print_document(session)
    else:
        print_table(("FIELD", "VALUE"), [(name, value) for name, value in _facts(session) if value])
    return 0


def run_command(arguments: argparse.Namespace) -> int:
    """End, cancel, pause or resume a session, and say what it is now."""

    async def command(api: ApiClient) -> int:
        session = await api.ask("POST", session_path(arguments.session_id, f"/{arguments.action}"))
        if getattr(arguments, "wait", False):
            session = await wait(api, session["id"])
        if arguments.json:
            print_document(session)
        else:
            print(f"{session['id']}: {told(session)}")
        return exit_code_of(session) if getattr(arguments, "wait", False) and arguments.action == "end" else 0

    return with_api(command)


def _row(session: Resource) -> tuple[str, ...]:
    return (
        session["id"],
        session["status"],
        session["created_at"],
        charged(session) if session["started_at"] else "",
        _room(session),
        session["title"] or "",
    )


def _room(session: Resource) -> str:
    return str((session["transport"] or {}).get("room_name") or "")


def _facts(session: Resource) -> list[tuple[str, str]]:
    metadata = " ".join(f"{name}={value}" for name, value in (session["metadata"] or {}).items())
    return [
        ("id", session["id"]),
        ("status", told(session)),
        ("title", session["title"] or ""),
        ("room", _room(session)),
        ("url", str((session["transport"] or {}).get("url") or "")),
        ("agent", session["agent_id"] or ""),
        ("customer", session["external_customer_id"] or ""),
        ("tags", " ".join(session["tags"])),
        ("metadata", metadata),
        ("created", session["created_at"]),
        ("started", session["started_at"] or ""),
        ("finished", session["finished_at"] or ""),
    ]
