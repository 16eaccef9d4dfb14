"""The way to PostgreSQL: pool, clock, tables, schema, notifications. It does not know what the rows mean."""
