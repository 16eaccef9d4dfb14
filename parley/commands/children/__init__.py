"""The processes that `parley worker` starts, a command each, and what it asks its nursery for."""
