"""The way to PostgreSQL: pool, clock, tables, schema, notifications. No row has a meaning here."""
