"""Short jobs, which are Procrastinate's: deferring them, running them, freeing those of dead workers."""
