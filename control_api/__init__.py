"""The HTTP API: routes, authentication, idempotency, error bodies and the OpenAPI document.

`app.build_app` makes the aiohttp application from its dependencies, and `server.serve` runs it. `operations.OPERATIONS`
is the table from which both the routes and the OpenAPI document are made. Every thing that is served has a room of its
own with its operations, routes and models; `adapters` holds the other styles of the API; `http` is below them all.

A request passes `http.serving.boundary` (its id, the error body), then `http.serving.admission` (key, scope, ids,
parameters, body, idempotency key), then the one route function that its operation names. This package records nothing,
loads no audio code and knows no worker; what it changes, it changes through `store`.
"""
