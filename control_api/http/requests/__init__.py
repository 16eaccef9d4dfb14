"""What is read from a request and checked: key and scope, path, query, body, idempotency key; the result is a `Call`.

The order of the checks is `control_api.http.serving.admission`'s.
"""
