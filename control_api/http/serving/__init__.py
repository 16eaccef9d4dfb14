"""The way of a request through the server: connection, boundary, admission, route; metrics, log line and readiness.

`control_api.server` starts and stops it.
"""
