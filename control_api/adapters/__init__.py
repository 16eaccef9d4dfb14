"""Three more styles of the API over the same services: other paths, names, status words and error bodies.

`agent_sessions` is `/v1/agents/{agent_id}/sessions`, `task_sessions` is `/api/sessions`, and `session_outputs` is the
flat paths `/v1/session/…` and `/v1/sessions/summary`. The canonical style, `/v1/sessions` (ids in hex included), is not
here: it is the rooms beside this one.

An adapter has operations, routes, models and examples of its own, and a `dialect` where its errors look different. It
translates between its style and the services of `store`; no adapter imports another.
"""
