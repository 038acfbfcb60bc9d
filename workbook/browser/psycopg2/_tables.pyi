# What the build writes down from the real psycopg2.
CLASSES: dict[str, str]  # an exception and the one that it is a kind of
SQLSTATES: dict[str, tuple[str, str]]  # PostgreSQL's code: the exception, and its kind
TYPES: dict[int, str]  # PostgreSQL's number of a type: psycopg2's name
