"""The worker: joins rooms, records them, beats, and turns what was recorded into the product.

Read `supervisor` (the processes), `recorder_process` (one of them), `session_runner` (one session), `recorder`,
then `finalizer`. Only `livekit_*` know LiveKit's SDK.

It is not where anything is decided about a session's state (`store`, by the table of `sessions.lifecycle`) or where
samples are computed (`audio`).
"""
