"""The style of agents' sessions, `/v1/agents/{agent_id}/sessions`: list, history, rename, archive, restore and delete.

A session is addressed by its `key`, times are Unix timestamps in milliseconds, and 401 and 403 have texts of their own.
Sessions are created in the canonical style; this one has no operation for that.
"""
