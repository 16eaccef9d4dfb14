"""The worker: joins rooms, records them, beats, and turns what was recorded into the product.

Read `host.supervisor` (the processes), `processes.recorder_process` (one of them), `run.session_runner` (one session),
`capture.recorder`, then `outputs.product.finalizer`. Only `room.livekit` knows LiveKit's SDK.

The worker does not move a session's state (`store` does, by the table of `sessions.lifecycle`), and it does not compute
samples (`audio` does).
"""
