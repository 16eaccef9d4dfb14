"""The way to PostgreSQL: pool, clocks, tables, schema, NOTIFY and LISTEN. It does not know what the rows mean."""
