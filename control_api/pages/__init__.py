"""Serves the pages that people read in a browser, which `web/` is built into. They use the API as any client does."""
