"""The HTTP contract: routes, authentication, idempotency, the error envelope and the OpenAPI document.

`app.build_app` makes the aiohttp application from its dependencies, `server.serve` runs it. `operations.OPERATIONS` is
the table that both the routes and the document come from. A request passes `boundary` (its id, the envelope), then
`admission` (key, scope, ids, parameters, body, idempotency key), then one function of `routes`. This package records
nothing and knows no worker; what it changes, it changes through `store`.
"""
