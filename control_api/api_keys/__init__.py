"""API keys over HTTP: create, list, rotate, revoke. Hashes and checks of keys are in `store.access`."""
