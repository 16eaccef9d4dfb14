"""Sessions of a task under `/api/sessions`: names and shapes of their own over the same services."""
