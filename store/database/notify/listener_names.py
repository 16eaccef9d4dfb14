"""Names of the connections on which processes listen. Each process has one: who counts them counts processes."""

API_LISTENER = "parley-api-listener"
RECORDER_LISTENER = "parley-recorder-listener"
JOBS_LISTENER = "parley-jobs-listener"
WEBHOOKS_LISTENER = "parley-webhooks-listener"
