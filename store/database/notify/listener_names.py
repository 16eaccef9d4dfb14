"""What the connections are called with which processes listen: one per process, so whoever counts them counts these."""

API_LISTENER = "parley-api-listener"
RECORDER_LISTENER = "parley-recorder-listener"
JOBS_LISTENER = "parley-jobs-listener"
WEBHOOKS_LISTENER = "parley-webhooks-listener"
