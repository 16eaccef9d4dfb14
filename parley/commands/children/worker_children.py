"""What `parley worker` asks its nursery for."""

from uuid import UUID

from parley.servers.fork_server import Request

RECORDER = "recorder"
JOBS = "jobs"
GUARD = "guard"
WEBHOOKS = "webhooks"


def recorder_request(owner: UUID, suspects: int, guard_port: int) -> Request:
    """A recorder process that reaches rooms through the guard; the descriptor of its pulse goes with it."""
    return {"run": RECORDER, "owner": str(owner), "suspects": suspects, "guard_port": guard_port}


def jobs_request(queue: str) -> Request:
    """A process that runs the jobs of a queue."""
    return {"run": JOBS, "queue": queue}


def guard_request() -> Request:
    """The guard; the descriptor of the socket that it listens on goes with it."""
    return {"run": GUARD}


def webhooks_request() -> Request:
    """The process that delivers webhooks."""
    return {"run": WEBHOOKS}
