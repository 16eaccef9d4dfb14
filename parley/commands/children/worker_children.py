"""What `parley worker` asks its nursery for: a name, and what a process of that name takes."""

from uuid import UUID

from parley.servers.fork_server import Request

RECORDER = "recorder"
GUARD = "guard"
JOBS = "jobs"
SPEECH = "speech"
WEBHOOKS = "webhooks"

ALWAYS = (GUARD,)
ON_DEMAND = (JOBS, SPEECH, WEBHOOKS)


def request_of(name: str, **what: str | int | UUID) -> Request:
    """A process by its name. A recorder takes `owner`, `suspects` and `guard_port`, the others nothing.

    Descriptors go with it: of a recorder's pulse, and of the socket that the guard listens on.
    """
    return {"run": name, **{key: str(value) for key, value in what.items()}}
