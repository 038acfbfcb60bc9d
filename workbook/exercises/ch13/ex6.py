"""13.6  What the role that serves may do, today and after the next migration."""

import re
from collections.abc import Iterator

import psycopg2
import sqlalchemy as sa

from workbook import ROOT, WorkbookError, project
from workbook.contents import RENAMED
from workbook.deployments import ROLE, provide_role
from workbook.exercises import Answer, Mistake, Outcome, edits
from workbook.exercises.child import emptied
from workbook.exercises.kinds import Probed, not_attempted

# What a later migration makes: a table whose ids come from a sequence, as in the first revision.
LATER = """
CREATE TABLE notes (id serial PRIMARY KEY, job_id integer REFERENCES jobs (id), text varchar);
"""
WORK = {  # what the application does, by table
    "read": "SELECT count(*) FROM {table}",
    "insert into": "INSERT INTO {table} {values}",
    "change": "UPDATE {table} SET id = id",
    "delete from": "DELETE FROM {table} WHERE id < 0",
}
VALUES = {
    "companies": "(user_id, name) VALUES ('ada', 'Ada Analytics')",
    "jobs": "(title, description, company_id)"
    " SELECT 'Analyst', 'Asks.', max(id) FROM companies HAVING count(*) > 0",
    "notes": "(text) VALUES ('A note.')",
}
FORBIDDEN = {
    "change the tables": "ALTER TABLE jobs ADD COLUMN pay integer",
    "make tables": "CREATE TABLE pay (id integer)",
    "give jobs a trigger": "CREATE TRIGGER quiet BEFORE UPDATE ON jobs FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "insert into alembic_version": "INSERT INTO alembic_version VALUES ('x')",
    "change alembic_version": "UPDATE alembic_version SET version_num = 'x'",
    "delete from alembic_version": "DELETE FROM alembic_version",
    "empty a table that is made later in one stroke": "TRUNCATE notes",
    # as a privilege that is not there divides by zero
    "pass its rights on": "SELECT 1 / has_table_privilege('jobs', 'SELECT WITH GRANT OPTION,"
    " INSERT WITH GRANT OPTION, UPDATE WITH GRANT OPTION, DELETE WITH GRANT OPTION')::int",
}
# A right of its own or of everybody's; what should not be there is found as what can be counted.
RIGHTS = "SELECT 1 / (SELECT count(*) FROM pg_class, aclexplode(relacl) WHERE relnamespace ="
RIGHTS += " 'public'::regnamespace AND {})"
NEEDED = "'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE'"
FORBIDDEN |= {
    "do what every other role may do, too: the grants are for everybody": RIGHTS.format(
        "grantee = 0"
    ),
    "refer to tables, or maintain them": RIGHTS.format(
        f"grantee = '{ROLE}'::regrole AND relkind = 'r' AND privilege_type NOT IN ({NEEDED})"
    ),
}
REVISION = "SELECT version_num FROM alembic_version"
NOW = "today's tables that cannot be served"
THEN = "the next migration takes the site down"
MUCH = "a role that may do too much"
HEALTH = "a health check that cannot look"
FORGET = (
    "ALTER DEFAULT PRIVILEGES REVOKE ALL ON {} FROM {}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON {} FROM {}",
)


def probe(source: str) -> list[str]:
    """What the role lacks or has too much after the learner's statements; the first thing alone."""
    with emptied() as connection:
        project.migrate(connection.engine.connect(), project.scripts(ROOT), RENAMED)
        try:
            connection.exec_driver_sql(source)
            return next(([*found] for found in _wrong(connection)), [])
        except sa.exc.DBAPIError as error:
            return [f"PostgreSQL stops: {str(error.orig).strip().splitlines()[0]}."]
        finally:
            for kind in ("TABLES", "SEQUENCES", "FUNCTIONS", "TYPES"):
                for each in (ROLE, "PUBLIC"):
                    for statement in FORGET:
                        connection.exec_driver_sql(statement.format(kind, each))


def _wrong(connection: sa.Connection) -> Iterator[list[str]]:
    for table in ("companies", "jobs"):
        for words in WORK:
            if said := _refused(connection, words, table):
                yield [NOW, f"As {ROLE}, to {words} {table}: {said}."]
    if said := _tried(connection, REVISION):
        yield [HEALTH, f"As {ROLE}: {said}."]
    if not _tried(connection, "TRUNCATE jobs"):
        yield [MUCH, f"{ROLE} may empty jobs in one stroke."]
    connection.exec_driver_sql(LATER)
    for words in WORK:
        if said := _refused(connection, words, "notes"):
            yield [THEN, f"As {ROLE}, to {words} a table that is made later: {said}."]
    for words, statement in FORBIDDEN.items():
        if not _tried(connection, statement):
            yield [MUCH, f"{ROLE} may {words}."]


def _refused(connection: sa.Connection, words: str, table: str) -> str:
    return _tried(connection, WORK[words].format(table=table, values=VALUES[table]))


def _tried(connection: sa.Connection, statement: str) -> str:
    """Why the role may not do it, in PostgreSQL's words; nothing: it may. It is taken back."""
    with psycopg2.connect("", options=f"-c role={ROLE}") as session, session.cursor() as cursor:
        try:
            cursor.execute(statement)
        except psycopg2.Error as error:
            return str(error).strip().splitlines()[0]
        finally:
            session.rollback()
    return ""


class Roles(Probed):
    """One that needs the role to be there."""

    def attempted(self, source: str) -> bool:
        return bool(re.sub(r"--.*", "", source).strip())

    def judge(self, answer: object) -> Outcome:
        try:
            provide_role(quiet=True)
        except WorkbookError as error:
            return not_attempted(str(error))
        return super().judge(answer)


CODE = f"""
GRANT USAGE ON SCHEMA public TO {ROLE};

-- the tables that are there
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {ROLE};

-- those that later migrations make
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {ROLE};
"""

EXERCISE = Roles(
    file="roles.sql",
    probe="workbook.exercises.ch13.ex6:probe",
    code=CODE,
    shown="-- your statements",
    mistakes=(
        Mistake(
            NOW,
            "The application works with the tables that are there: it reads, inserts, changes and"
            " deletes.",
            "PostgreSQL's line names what is still refused.",
        ),
        Mistake(
            HEALTH,
            "The health check compares the revision in the database with its own.",
            "It has to read one table more than the application's.",
        ),
        Mistake(
            THEN,
            "GRANT is about what is there. The next migration makes a table, and the application that"
            " comes with it is refused.",
            "What later tables and sequences grant from the start is a default that one can alter.",
        ),
        Mistake(
            MUCH,
            "Whoever breaks into the application has this role. What serves does not change tables,"
            " and does not tell Alembic where it is.",
            "Grant what the application does, and nothing beside it.",
        ),
    ),
    task="let a role serve, and nothing more",
    hints=(
        "Three parts: the schema, what is there, and what is to come.",
        "GRANT ... ON ALL TABLES IN SCHEMA public. A serial id takes its number from a sequence, and"
        " that is granted for itself.",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ... ON TABLES, and once more ON SEQUENCES."
        " alembic_version is a table, too: take back what nobody but Alembic should do.",
    ),
    why="The grants are for what is there, the defaults for what the same owner makes later; and"
    " alembic_version may be read, for the health check.",
    passed="You can let one role migrate and another serve, and keep it so after the next migration.",
)

WRONG = edits(
    EXERCISE.filled,
    rf"""
today alone  | ALTER DEFAULT PRIVILEGES IN SCHEMA public\n    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};\nALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {ROLE};\n  |  | the next migration takes the site down
no sequences  | GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};\n  |  | today's tables that cannot be served
no later sequences  | ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {ROLE};\n  |  | the next migration takes the site down
to read alone  | GRANT SELECT, INSERT, UPDATE, DELETE ON ALL  | GRANT SELECT ON ALL  | today's tables that cannot be served
everything, later  | SELECT, INSERT, UPDATE, DELETE ON TABLES  | ALL ON TABLES  | a role that may do too much
later, to read alone  | GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES  | GRANT SELECT ON TABLES  | the next migration takes the site down
everything  | SELECT, INSERT, UPDATE, DELETE ON ALL  | ALL ON ALL  | a role that may do too much
alembic_version, too  | REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {ROLE};\n  |  | a role that may do too much
to insert into alembic_version  | REVOKE INSERT, UPDATE,  | REVOKE UPDATE,  | a role that may do too much
rights to pass on  | ON ALL TABLES IN SCHEMA public TO {ROLE}  | ON ALL TABLES IN SCHEMA public TO {ROLE} WITH GRANT OPTION  | a role that may do too much
for everybody  | TO {ROLE}  | TO PUBLIC  | FROM {ROLE}  | FROM PUBLIC  | a role that may do too much
everybody may read  | -- the tables that are there  | GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;  | a role that may do too much
references, too  | UPDATE, DELETE ON ALL  | UPDATE, DELETE, REFERENCES ON ALL  | a role that may do too much
references, later  | UPDATE, DELETE ON TABLES  | UPDATE, DELETE, REFERENCES ON TABLES  | a role that may do too much
triggers, too  | UPDATE, DELETE ON ALL  | UPDATE, DELETE, TRIGGER ON ALL  | a role that may do too much
nothing of alembic_version  | REVOKE INSERT, UPDATE, DELETE ON  | REVOKE ALL ON  | a health check that cannot look
the right to make tables  | USAGE ON SCHEMA  | USAGE, CREATE ON SCHEMA  | a role that may do too much
to the owner  | TO {ROLE}  | TO CURRENT_USER  | FROM {ROLE}  | FROM CURRENT_USER  | today's tables that cannot be served
another role  | {ROLE}  | jobboard_ap  | PostgreSQL stops: role "jobboard_ap" does not exist
a word too few  | ON ALL TABLES IN SCHEMA public  | ON TABLES  | PostgreSQL stops
one table alone  | ON ALL TABLES IN SCHEMA public TO  | ON jobs, alembic_version TO  | today's tables that cannot be served
""",
)
WRONG.append(Answer("a comment alone", "Not attempted yet", code="-- later\n"))
RIGHT = edits(
    EXERCISE.filled,
    rf"""
table by table  | ON ALL TABLES IN SCHEMA public  | ON companies, jobs  | REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {ROLE}  | GRANT SELECT ON alembic_version TO {ROLE}
for this owner, by name  | ALTER DEFAULT PRIVILEGES IN  | ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER IN
in every schema  | ALTER DEFAULT PRIVILEGES IN SCHEMA public  | ALTER DEFAULT PRIVILEGES
with SELECT on the sequences  | GRANT USAGE ON ALL  | GRANT USAGE, SELECT ON ALL
the defaults first  | -- the tables that are there  | ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
""",
)
