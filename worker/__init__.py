"""The worker: joins rooms, records them, beats, and turns what was recorded into the product.

Read `host.supervisor` (the processes), `processes.recorder_process` (one of them), `run.session_runner` (one session),
`capture.recorder`, then `product.finalizer`. Only the `livekit_*` modules of `room` know LiveKit's SDK.

The worker does not move a session's state (`store` does, by the table of `sessions.lifecycle`), and it does not compute
samples (`audio` does). Beside the rooms lie `process_figures`, which recorder processes write and the host reads, and
`openai_endpoint`, which speech and summaries share.
"""
