"""What `parley worker` asks its nursery for."""

from uuid import UUID

from parley.servers.fork_server import Request

RECORDER = "recorder"
JOBS = "jobs"


def recorder_request(owner: UUID, suspects: int) -> Request:
    """A recorder process; the descriptor of its pulse goes with it."""
    return {"run": RECORDER, "owner": str(owner), "suspects": suspects}


def jobs_request(queue: str) -> Request:
    """A process that runs the jobs of a queue."""
    return {"run": JOBS, "queue": queue}
