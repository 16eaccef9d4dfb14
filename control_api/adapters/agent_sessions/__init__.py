"""Sessions of an agent under `/v1/agents/{agent_id}/sessions`: names and shapes of their own over the same services."""
