"""What a browser is shown where the pages were not built."""

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Parley</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<h1>Parley's API runs. Its pages were not built.</h1>
<p>In a checkout, <code>make setup</code> builds them; then start the API again. It takes Node 22 or newer from PATH, or
fetches one.</p>
<p>Nothing else is missing: <a href="openapi.json">openapi.json</a> describes the API, <a href="v1/status">v1/status</a>
says how it is.</p></html>
"""
