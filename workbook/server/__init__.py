"""PostgreSQL: the embedded server, and how everybody finds it."""
