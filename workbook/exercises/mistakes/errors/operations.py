"""Mistakes in what a revision does: its operations, its Python, its transaction."""

import difflib
import re
from collections.abc import Iterable

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen, shared

CONSTRAINTS = """
SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:table) AND contype <> 'n' ORDER BY 1
"""
IMPORTED = ("sa", "op", "postgresql", "sqlalchemy", "mysql", "sqlmodel", "pgvector", "geoalchemy2")
INVALID = (
    "SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
)


def _constraints(seen: Seen) -> Iterable[str]:
    table = seen.name("table")
    names = [name for (name,) in seen.site.ask(CONSTRAINTS, table=table)] if seen.site else []
    if names:
        yield f"{table} has {', '.join(names)}."


def _tables(seen: Seen) -> Iterable[str]:
    """The table that may have been meant."""
    near = difflib.get_close_matches(seen.name("table"), seen.site.tables if seen.site else (), 1)
    if near:
        yield f"There is a table {near[0]}."


def invalid(seen: Seen) -> Iterable[str]:
    for index, table in seen.site.ask(INVALID) if seen.site else ():
        yield f"{index} on {table} is there and INVALID: DROP INDEX CONCURRENTLY it."


def _in_migration(seen: Seen) -> bool | None:
    """Whether a revision was run; None where the text says nothing of what was."""
    place = seen.reading.place
    if seen.reading.running[0] or (place and "versions" in place.file):
        return True
    return False if place else None


def _by_the_orm(seen: Seen) -> bool:
    """Whether mapped classes wrote the statement: it names each column twice, or the ORM's files."""
    labels = re.search(r"\b(\w+)\.(\w+) AS \1_\2", seen.reading.statement)
    return bool(labels or re.search(r"sqlalchemy[/\\]orm[/\\]", seen.reading.text))


def qualified(seen: Seen) -> bool:
    """Whether the column that is missed is a table's name before a dot, in what an UPDATE sets."""
    block = seen.reading.block
    named = re.search(r'column\s+"(\w+)"\s+of\s+relation', block)
    target = rf'(?:\bSET\s+|,\s*)"?{named[1]}"?\s*\.[^=]*=' if named else r"\Z\A"
    return bool(re.search(target, f"{seen.reading.statement}\n{block}", re.IGNORECASE))


ENTRIES = (
    Entry(
        id="D01",
        mistake=shared("the parent is dropped before the child"),
        lines=(
            "(psycopg2.errors.DependentObjectsStillExist) cannot drop table {table} because other"
            " objects depend on it",
        ),
        cure="Drop the tables, views or keys that the DETAIL line names first.",
        when=lambda seen: (
            None
            if re.search(
                r"constraint\s+\S+\s+on\s+table|^(?!.*DETAIL)", seen.reading.block, re.DOTALL
            )
            else False
        ),
        tell="Is it a foreign key of another table? Then that table goes first, as in downgrade().",
        prevent="Read upgrade() from the bottom up: that is downgrade().",
        chapter=2,
        commands=("downgrade",),
    ),
    Entry(
        id="G08",
        mistake=Mistake(
            "other objects depend on it",
            "PostgreSQL drops nothing that something else stands on: a foreign key of another table, a"
            " view, a default, a policy. The DETAIL line names each of them.",
            "Drop what the DETAIL line names first, in the same revision, and make again what is still"
            " wanted. CASCADE drops all of it without asking.",
        ),
        lines=(
            "(psycopg2.errors.DependentObjectsStillExist) cannot drop table {table} because other"
            " objects depend on it",
            "(psycopg2.errors.DependentObjectsStillExist) cannot drop column {column} of table {table}"
            " because other objects depend on it",
        ),
        also=(
            "cannot drop index {index} because",
            "cannot drop view {view} because",
            "cannot drop function {function} because",
            "Cannot drop table '{table}' referenced by a foreign key constraint",
        ),
        kinds=("DependentObjectsStillExist",),
        prevent="Try each revision on a copy with all tables and views.",
        chapter=8,
        commands=("downgrade", "upgrade"),
    ),
    Entry(
        id="G03",
        mistake=Mistake(
            "a table that is not there",
            "The statement names a table that this database does not have at this point. Most often the revision that makes it is not applied, or no revision makes it at all, because create_all or an older set-up did so elsewhere; it can also be another database or schema, or a name that is spelled otherwise.",
            "alembic current says how far the database is, and a search in versions which revision makes the table. If none does: write one that does, and stamp it where the table is there.",
        ),
        lines=('(psycopg2.errors.UndefinedTable) relation "{table}" does not exist',),
        also=(
            "no such table: ",
            'table "{table}" does not exist',
            "Table '{table}' doesn't exist",
        ),
        kinds=("UndefinedTable",),
        look=_tables,
        prevent="Build a database from nothing in CI, with the revisions alone.",
        chapter=3,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="G25",
        mistake=Mistake(
            "a table that the statement does not bring in",
            "A column is named with a table or an alias that stands in no FROM or JOIN of the statement. Where"
            " a table has an alias, only the alias counts.",
            "Add the join, or name the column by the alias that is there.",
        ),
        lines=('(psycopg2.errors.UndefinedTable) missing FROM-clause entry for table "{table}"',),
        also=('invalid reference to FROM-clause entry for table "{table}"',),
        prevent="Try SQL in psql or %sql before it goes into a revision.",
        chapter=4,
        commands=("upgrade", "%sql"),
    ),
    Entry(
        id="D01b",
        mistake=shared("the child comes before the parent"),
        lines=('(psycopg2.errors.UndefinedTable) relation "{table}" does not exist',),
        when=lambda seen: (
            seen.sends(rf"CREATE TABLE.*REFERENCES \"?{re.escape(seen.name('table')) or '[^ ]'}\b")
            or (None if not seen.reading.statement else False)
        ),
        cure="Create the table that the foreign key leads to first.",
        tell="A foreign key leads to it: create that table first.",
        prevent="Parents, then children; and the other way round in downgrade().",
        chapter=2,
    ),
    Entry(
        id="D02",
        mistake=Mistake(
            "CONCURRENTLY within a transaction",
            "PostgreSQL builds an index CONCURRENTLY in several transactions of its own, and Alembic has"
            " opened one around the migration.",
            "with op.get_context().autocommit_block(): around the operation, alone in its revision.",
        ),
        lines=(
            "(psycopg2.errors.ActiveSqlTransaction) CREATE INDEX CONCURRENTLY cannot run inside a"
            " transaction block",
        ),
        prevent="One concurrent operation a revision, and nothing else in it.",
        chapter=10,
    ),
    Entry(
        id="D03",
        mistake=shared("one transaction, not three", "3.4"),
        lines=("Running upgrade …Running upgrade",),
        cure="Mend the one that failed and run upgrade again: what ran before it in this command was"
        " rolled back, too.",
        prevent="transaction_per_migration=True in env.py where each is to stand alone.",
        tell="Several revisions ran before the one that failed, and they were rolled back, too.",
        chapter=3,
        quiet=True,
    ),
    Entry(
        id="G06",
        mistake=Mistake(
            "a column that is there already",
            "A column of this name is in the table: create_all, another revision or somebody's hand made"
            " it, or an earlier try of this revision has left it.",
            "Look where it comes from. If it is as the revision would make it, take the line out or stamp"
            " the revision; if it is a leftover, drop it.",
        ),
        lines=(
            '(psycopg2.errors.DuplicateColumn) column "{column}" of relation "{table}" already exists',
        ),
        also=("duplicate column name: ", "Duplicate column name '"),
        kinds=("DuplicateColumn",),
        prevent="One owner of the tables, and that is Alembic.",
        chapter=9,
        look=invalid,
    ),
    Entry(
        id="G07",
        mistake=Mistake(
            "SQL that the database cannot read",
            "The statement is no SQL to this database from the word on that the message names: a slip, a word that needs quotes as a name, or another system's dialect.",
            "Look at what stands just before that word. The statement is below, or in op.execute.",
        ),
        lines=('(psycopg2.errors.SyntaxError) syntax error at or near "{word}"',),
        also=(
            "PostgresSyntaxError: syntax error at",
            "You have an error in your SQL syntax",
            'near "{word}": syntax error',
        ),
        when=lambda seen: not re.search('near"(?:ALTER|DROP|CONSTRAINT)":', seen.said),
        prevent="Try SQL in psql or %sql before it goes into a revision.",
        chapter=4,
        commands=("upgrade", "%sql"),
    ),
    Entry(
        id="G07b",
        mistake=Mistake(
            "several statements at once",
            "The driver prepares each statement on the server, which takes one at a time, and this text"
            " holds several with semicolons between them. asyncpg always does so; psycopg 3 where there"
            " are parameters.",
            "One op.execute for each statement.",
        ),
        lines=("cannot insert multiple commands into a prepared statement",),
        prevent="One statement a call, with every driver.",
        source="https://github.com/langchain-ai/langchain-postgres/issues/101",
        chapter=4,
    ),
    Entry(
        id="D15g",
        mistake=shared("a key of another type"),
        lines=(
            '(psycopg2.errors.DatatypeMismatch) foreign key constraint "{constraint}" cannot be implemented',
        ),
        cure="Give the column the type of the one that it leads to. Where a type changes, drop the key,"
        " change both columns, add the key.",
        prevent="One type for ids.",
        chapter=2,
    ),
    Entry(
        id="D04",
        mistake=Mistake(
            "half of a migration is there",
            "Something in the revision has committed (an autocommit_block"
            " commits all that came before it, commit() too), then a later line failed.",
            "Look what is there, undo it by hand, then run the revision again. An INVALID index goes first.",
        ),
        lines=(
            '(psycopg2.errors.DuplicateColumn) column "{column}" of relation "{table}" already exists',
        ),
        tell="Did this revision fail before? Then its first half may have stayed, and committed.",
        prevent="An autocommit_block alone in its revision, and never a commit.",
        chapter=10,
        look=invalid,
    ),
    Entry(
        id="D22",
        mistake=shared("a migration that commits"),
        lines=(
            '(psycopg2.errors.DuplicateColumn) column "{column}" of relation "{table}" already exists',
        ),
        cure="Take the commit out of the file, undo by hand what it has left, run upgrade again.",
        tell="Does upgrade() call commit()? Then its first half has stayed.",
        prevent="Alembic commits. flush() is enough for a Session.",
        chapter=7,
    ),
    Entry(
        id="D09",
        mistake=shared("a migration that commits"),
        lines=("Running upgrade",),
        cure="Take the commit out of the file.",
        tell="Does upgrade() call op.get_bind().commit()? Then no row is written, and all runs again.",
        prevent="Alembic commits. flush() is enough for a Session.",
        chapter=7,
        quiet=True,
    ),
    Entry(
        id="D05",
        mistake=Mistake(
            "an index that is there and does not count",
            "A CONCURRENTLY that failed leaves an index which is INVALID. if_not_exists looks at the name"
            " alone and is content.",
            "DROP INDEX CONCURRENTLY, put the rows right, build it again.",
        ),
        lines=("Running upgrade",),
        tell="Was an index built again with if_not_exists? The old one may be INVALID: look in pg_index.",
        prevent="No if_not_exists with CONCURRENTLY; look at pg_index.indisvalid afterwards.",
        chapter=10,
        quiet=True,
        look=invalid,
    ),
    Entry(
        id="D06",
        mistake=Mistake(
            "a new value used too early",
            "A value that was added to an enum can be used after the transaction that added it, and one"
            " upgrade is one transaction, over all its revisions.",
            "Put ALTER TYPE ... ADD VALUE into with op.get_context().autocommit_block():.",
        ),
        lines=(
            '(psycopg2.errors.UnsafeNewEnumValueUsage) unsafe use of new value "{value}" of enum type',
        ),
        also=("ALTER TYPE ... ADD cannot run inside a transaction block",),
        kinds=("UnsafeNewEnumValueUsage",),
        prevent="The value in one deploy, its use in the next.",
        chapter=8,
    ),
    Entry(
        id="G04",
        mistake=Mistake(
            "a column that is not there",
            "The statement names a column that the table does not have now. Most often a revision with it is not applied here, or code and database are of two different days; it can also be the spelling: PostgreSQL folds names without double quotes to lower case.",
            "alembic current tells where the database is. If a revision with the column waits, upgrade; if the column was dropped or renamed, the code is older than the database. A HINT proposes a column that is there.",
        ),
        lines=(
            "(psycopg2.errors.UndefinedColumn) column {column} does not exist",
            '(psycopg2.errors.UndefinedColumn) column "{column}" of relation "{table}" does not exist',
        ),
        also=(
            "no such column: ",
            "table {table} has no column named",
            "Unknown column '",
        ),
        kinds=("UndefinedColumn",),
        when=lambda seen: (
            False
            if _in_migration(seen) or "ForeignKey" in seen.reading.block or qualified(seen)
            else None
        ),
        prevent="Deploys that expand first and contract later.",
        chapter=12,
        commands=("python",),
    ),
    Entry(
        id="G04b",
        mistake=Mistake(
            "a column that is not there at this revision",
            "A statement names a column that the table does not have at this point of the history. Most often the name is spelled otherwise, or another revision should have made it; it can also be that the table was changed by hand, or that mapped classes of today wrote the statement.",
            "Compare the name with what the revisions before it make; a HINT proposes one that is there.",
        ),
        lines=(
            '(psycopg2.errors.UndefinedColumn) column "{column}" of relation "{table}" does not exist',
        ),
        also=(
            "column {column} does not exist",
            'column "{column}" does not exist',
            "no such column: ",
            "Unknown column '",
        ),
        kinds=("UndefinedColumn",),
        when=lambda seen: False if _in_migration(seen) is False or qualified(seen) else None,
        prevent="Build a database from nothing in CI, with the revisions alone.",
        chapter=7,
    ),
    Entry(
        id="D07",
        mistake=shared("models imported into a migration"),
        lines=(
            '(psycopg2.errors.UndefinedColumn) column "{column}" of relation "{table}" does not exist',
        ),
        also=("column {column} does not exist", "no such column: ", "Unknown column '"),
        when=lambda seen: (
            not qualified(seen)
            and _in_migration(seen)
            and ("HINT" not in seen.reading.block and (_by_the_orm(seen) or None))
        ),
        cure="sa.table and sa.column in the revision, with the columns that are there at this point.",
        tell="Does the revision import the models? They know columns of later revisions.",
        account="A mapped class wrote the statement and names a column that the table does not have at this point of the history. The models know the columns of later revisions; the revision runs before them.",
        prevent="A revision imports op and sa, and nothing of the project.",
        chapter=7,
    ),
    Entry(
        id="G04c",
        mistake=Mistake(
            "a table's name where SET wants a column",
            "What UPDATE sets is a column of its one table, and stands alone: PostgreSQL takes the table"
            " or the alias before the dot for a column, and finds none of that name.",
            "SET column = ... without the table or the alias. To the right of = and in WHERE it may stand.",
        ),
        lines=(
            '(psycopg2.errors.UndefinedColumn) column "{column}" of relation "{table}" does not exist',
        ),
        when=qualified,
        prevent="Run SQL that was written for another system on PostgreSQL once.",
        chapter=7,
    ),
    Entry(
        id="D08",
        mistake=shared("text that SQLAlchemy does not take"),
        lines=("sqlalchemy.exc.ObjectNotExecutableError: Not an executable object:",),
        also=(
            "should be explicitly declared as text(",
            "should be explicitly declared with text(",
            "AttributeError: 'str' object has no attribute '_execute_on_connection'",
        ),
        cure='connection.execute(sa.text("...")). op.execute takes plain text.',
        account="SQLAlchemy executes its own constructs, and was handed something else: most often plain text, which has to be wrapped in sa.text(...).",
        prevent="A type checker sees it.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="D08c",
        mistake=Mistake(
            "a statement sent by the engine",
            "Since SQLAlchemy 2.0 an engine has no execute(): statements go over a connection.",
            "with engine.begin() as connection: connection.execute(...). In a revision: op.execute.",
        ),
        lines=("AttributeError: 'Engine' object has no attribute 'execute'",),
        prevent="Read the 2.0 migration guide of SQLAlchemy before an update.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="D08b",
        mistake=shared("a colon in SQL text"),
        lines=(
            "(sqlalchemy.exc.InvalidRequestError) A value is required for bind parameter '{name}'",
        ),
        also=("A value is required for bind parameter",),
        cure=r"Hand the value over with bindparams, if one is missing. Write \: for a colon that is meant, in a raw string r\"...\".",
        account="To SQLAlchemy a colon and a word in a text are the place for a value, and none of this name was handed in. Most often the colon belongs to the text (a time, JSON, a label); it can also be that the value was forgotten, or is spelled otherwise.",
        prevent="Values as parameters, not in the text.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="D10",
        mistake=Mistake(
            "rows asked for where there is no database",
            "With --sql Alembic prints and asks nothing, so a SELECT in the migration has no result.",
            "Leave it out where context.is_offline_mode(), or say it in SQL alone: INSERT ... SELECT.",
        ),
        lines=("TypeError: 'NoneType' object is not iterable",),
        also=(
            "AttributeError: 'NoneType' object has no attribute 'fetchall'",
            "AttributeError: 'NoneType' object has no attribute 'scalar'",
            "'MockConnection' object has no attribute",
            "batch mode with dialect sqlite requires a live database connection",
        ),
        when=lambda seen: bool(
            re.search("--sql|Generating static SQL|MockConnection", seen.reading.text)
        ),
        prevent="upgrade --sql in CI, if offline scripts are wanted.",
        chapter=3,
        commands=("upgrade --sql",),
    ),
    Entry(
        id="D10b",
        mistake=Mistake(
            "offline needs a range",
            "With --sql Alembic does not know where the database is, and downgrade has to begin"
            " somewhere.",
            "alembic downgrade <from>:<to> --sql.",
        ),
        lines=("FAILED: downgrade with --sql requires <fromrev>:<torev>",),
        prevent="Name both ends in offline scripts.",
        chapter=5,
        commands=("downgrade --sql",),
    ),
    Entry(
        id="D10c",
        mistake=Mistake(
            "a range where there is a database",
            "A range from:to belongs to --sql. Online, Alembic reads from the database where to begin.",
            "Name the end alone, or add --sql.",
        ),
        lines=("FAILED: Range revision not allowed",),
        prevent="Ranges in offline scripts alone.",
        chapter=3,
        commands=("upgrade",),
    ),
    Entry(
        id="D11",
        mistake=shared("a guessed constraint name"),
        lines=(
            '(psycopg2.errors.UndefinedObject) constraint "{constraint}" of relation "{table}" does not exist',
        ),
        cure="Take the name that pg_constraint has. PostgreSQL's own names are like jobs_company_id_fkey.",
        tell="Was the name guessed? PostgreSQL's own are like jobs_company_id_fkey; pg_constraint lists them.",
        when=lambda seen: None,
        prevent="MetaData(naming_convention=...) from the first revision on.",
        chapter=8,
        commands=("downgrade", "upgrade"),
        look=_constraints,
    ),
    Entry(
        id="G09",
        mistake=Mistake(
            "a constraint that is not there",
            "The table has no constraint of this name in this database. Most often it was made without a"
            " name, so the database chose one; it can also be gone already, or be a unique index and no"
            " constraint.",
            "Give op.drop_constraint the name that the database has: pg_constraint, or \\d in psql.",
        ),
        lines=(
            '(psycopg2.errors.UndefinedObject) constraint "{constraint}" of relation "{table}" does not exist',
        ),
        also=("No such constraint: '{constraint}'", "No constraint found named {constraint}"),
        prevent="MetaData(naming_convention=...) from the first revision on.",
        chapter=8,
        commands=("downgrade", "upgrade"),
        look=_constraints,
    ),
    Entry(
        id="G10",
        mistake=Mistake(
            "a constraint that is there already",
            "The table has a constraint of this name: an earlier try, another revision or create_all has"
            " made it, or two constraints were given one name.",
            "If it is the same, leave the operation out; if it is another, give this one a name of its own.",
        ),
        lines=(
            '(psycopg2.errors.DuplicateObject) constraint "{constraint}" for relation "{table}" already exists',
        ),
        also=("Duplicate foreign key constraint name '{constraint}'",),
        prevent="A naming convention, so that each name says table and column.",
        chapter=8,
        look=_constraints,
    ),
    Entry(
        id="G11",
        mistake=Mistake(
            "something that is not there",
            "The statement names an object (a trigger, a collation, an operator class, a setting) that this database does not have, or has in a schema that is not searched. Some come with an extension, such as gin_trgm_ops with pg_trgm.",
            "Compare its name with what the revisions before it make, and create the extension that brings it. IF EXISTS serves databases that differ.",
        ),
        lines=(
            '(psycopg2.errors.UndefinedObject) trigger "{trigger}" for table "{table}" does not exist',
        ),
        kinds=("UndefinedObject",),
        prevent="Build a database from nothing in CI, with the revisions alone.",
        chapter=8,
    ),
    Entry(
        id="G12",
        mistake=Mistake(
            "something that is there already",
            "The database has an object of this name: an earlier try, another revision or somebody's hand"
            " has made it.",
            "Look where it comes from. IF NOT EXISTS or CREATE OR REPLACE serve databases that differ.",
        ),
        lines=(
            '(psycopg2.errors.DuplicateObject) trigger "{trigger}" for relation "{table}" already exists',
        ),
        also=('extension "{extension}" already exists', 'schema "{schema}" already exists'),
        kinds=(
            "DuplicateObject",
            "DuplicateSchema",
            "DuplicateDatabase",
            "DuplicateFunction",
            "DuplicateAlias",
        ),
        prevent="Take each revision up, down and up again.",
        chapter=8,
    ),
    Entry(
        id="G13",
        mistake=Mistake(
            "a function that is not there",
            "PostgreSQL has no function of this name for arguments of these types. Most often an extension"
            " brings it (uuid-ossp has uuid_generate_v4) and is not made in this database; it can also"
            " be the types of the arguments, the search_path, or a newer version's function.",
            "CREATE EXTENSION in a revision before it; gen_random_uuid() needs none. Else cast the"
            " arguments to what the function takes.",
        ),
        lines=("(psycopg2.errors.UndefinedFunction) function {function} does not exist",),
        prevent="The extension in the first revision that needs it.",
        chapter=8,
    ),
    Entry(
        id="G13b",
        mistake=Mistake(
            "types that do not go together",
            "The statement compares or joins values of two types for which PostgreSQL has no operator, and"
            " it turns none into the other by itself.",
            "Cast one of them (column::text), or give both columns the same type.",
        ),
        lines=("(psycopg2.errors.UndefinedFunction) operator does not exist: {operator}",),
        kinds=("UndefinedFunction",),
        prevent="One type for ids.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G14",
        mistake=Mistake(
            "a number out of range",
            "The value does not fit the column's type: an integer ends at 2,147,483,647, a numeric at its"
            " precision. Most often a count, a size in bytes or a time in milliseconds has outgrown it.",
            "op.alter_column(..., type_=sa.BigInteger()), which rewrites the table under a lock.",
        ),
        lines=("(psycopg2.errors.NumericValueOutOfRange) integer out of range",),
        also=(
            "bigint out of range",
            "smallint out of range",
            "numeric field overflow",
            "is out of range for type",
            "value out of int32 range",
            "value out of int64 range",
            "Out of range value for column",
        ),
        kinds=("NumericValueOutOfRange",),
        prevent="BigInteger for ids and sizes that grow.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G15",
        mistake=Mistake(
            "a value that the driver cannot write",
            "psycopg2 was handed an object of a type for which it knows no SQL: most often a dict for a"
            " column that is no JSON to SQLAlchemy, a number of numpy's, or an object in place of its id.",
            "Give the column its type (JSON, JSONB) in sa.table and sa.column, or turn the value: json.dumps,"
            " float(), str(), object.id.",
        ),
        lines=("(psycopg2.ProgrammingError) can't adapt type '{type}'",),
        also=("cannot adapt type '{type}'", "type '{type}' is not supported"),
        prevent="Columns with their types in data migrations.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G16",
        mistake=Mistake(
            "a text that is no value of the type",
            "PostgreSQL was to read a text as a number, a date, a boolean, a UUID or JSON, and it is none:"
            " the message shows it. Most often rows hold what nobody expected, such as an empty text.",
            "Find the rows (WHERE column !~ '^[0-9]+$'), put them right, then change the type; or let USING"
            " say what becomes of them: NULLIF(column, '')::integer.",
        ),
        lines=(
            '(psycopg2.errors.InvalidTextRepresentation) invalid input syntax for type {type}: "{value}"',
        ),
        also=("invalid input syntax for", "date/time field value out of range:"),
        kinds=("InvalidTextRepresentation", "InvalidDatetimeFormat"),
        prevent="Look at the values before you plan the change.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G26",
        mistake=Mistake(
            "a value of another type than the column",
            "The value or the default has a type that PostgreSQL does not turn into the column's by itself,"
            " such as 0 for a boolean or a text for jsonb.",
            "Cast it (column::jsonb), or write it as the type: sa.true(), sa.text(\"'{}'::jsonb\").",
        ),
        lines=(
            '(psycopg2.errors.DatatypeMismatch) column "{column}" is of type {type} but expression is of'
            " type {other}",
        ),
        also=('column "{column}" is of type {type} but default expression is of type {other}',),
        prevent="Columns with their types in data migrations.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G27",
        mistake=Mistake(
            "a view that is replaced by another shape",
            "CREATE OR REPLACE VIEW keeps the view's columns, with their names, types and order, and may"
            " only add some at the end. This one renames, moves, drops or retypes a column.",
            "New columns at the end; or DROP VIEW and CREATE VIEW in the same revision, with the views and"
            " grants that hang on it made again.",
        ),
        lines=("(psycopg2.errors.InvalidTableDefinition) cannot change name of view column",),
        also=("cannot drop columns from view", "cannot change data type of view column"),
        prevent="Take a view's revision up from a database that has the old view.",
        chapter=8,
    ),
    Entry(
        id="G17",
        mistake=Mistake(
            "a column of the primary key",
            "A column of the primary key is NOT NULL, and cannot become nullable while it belongs to it.",
            "Leave it required, or drop the primary key first and make another one.",
        ),
        lines=('(psycopg2.errors.InvalidTableDefinition) column "{column}" is in a primary key',),
        prevent="Read each alter_column of a draft: the models may lack primary_key=True.",
        chapter=8,
    ),
    Entry(
        id="G17b",
        mistake=Mistake(
            "a second primary key",
            "A table has one primary key, and this one has it already.",
            "Drop the old one first (its name is in pg_constraint). A key of two columns is one constraint"
            " that names both.",
        ),
        lines=(
            '(psycopg2.errors.InvalidTableDefinition) multiple primary keys for table "{table}" are not allowed',
        ),
        also=("Multiple primary key defined",),
        prevent="A name for each primary key.",
        chapter=8,
    ),
    Entry(
        id="G18",
        mistake=Mistake(
            "rows whose checks are still to come",
            "Rows were written in this transaction, and a deferred constraint or trigger on them waits for"
            " its end; until then PostgreSQL does not alter the table.",
            "Two revisions (with transaction_per_migration=True), or SET CONSTRAINTS ALL IMMEDIATE between.",
        ),
        lines=(
            '(psycopg2.errors.ObjectInUse) cannot ALTER TABLE "{table}" because it has pending trigger events',
        ),
        prevent="Shape and data in revisions of their own.",
        chapter=7,
    ),
    Entry(
        id="G19",
        mistake=Mistake(
            "a session that may only read",
            "The server takes no changes on this connection. Most often the address leads to a replica; it"
            " can also be default_transaction_read_only, or a provider that has run out of space.",
            "Let migrations run on the primary: SELECT pg_is_in_recovery() says which one this is.",
        ),
        lines=(
            "(psycopg2.errors.ReadOnlySqlTransaction) cannot execute {command} in a read-only transaction",
        ),
        also=("attempt to write a readonly database", "is running with the --read-only option"),
        prevent="One address for migrations, which leads to the primary.",
        chapter=13,
    ),
    Entry(
        id="G20",
        mistake=Mistake(
            "ON CONFLICT without its rule",
            "ON CONFLICT names columns, and no unique constraint or index of the table is over exactly these"
            " (one with a WHERE needs the same WHERE).",
            "Create the unique constraint first, or name the columns that one has.",
        ),
        lines=(
            "(psycopg2.errors.InvalidColumnReference) there is no unique or exclusion constraint matching"
            " the ON CONFLICT specification",
        ),
        prevent="Build a database from nothing in CI, with the revisions alone.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G21",
        mistake=Mistake(
            "a value that is too long for an index",
            "An entry of an ordinary index holds about 2,700 bytes, and a row has more in this column.",
            "Index what is searched for: md5(column), left(column, 100), or full-text search with GIN.",
        ),
        lines=(
            "(psycopg2.errors.ProgramLimitExceeded) index row size {size} exceeds btree version {version}"
            ' maximum {maximum} for index "{index}"',
        ),
        also=("index row requires {size} bytes, maximum size is",),
        prevent="No plain index on a column of long texts.",
        chapter=10,
    ),
    Entry(
        id="G22",
        mistake=Mistake(
            "an object of another kind",
            "The name is there, but it is no table (or none of the kind that the statement is for): a view,"
            " a sequence, an index, a partition.",
            "\\d and the name in psql tells what it is. Views have statements of their own: DROP VIEW,"
            " CREATE OR REPLACE VIEW.",
        ),
        lines=('(psycopg2.errors.WrongObjectType) "{name}" is not a table',),
        kinds=("WrongObjectType",),
        prevent="Names that say what is a view.",
        chapter=8,
    ),
    Entry(
        id="G23",
        mistake=Mistake(
            "a value for a column that fills itself",
            "The column is GENERATED ALWAYS (an identity or a computed one), and the statement brings a value"
            " for it.",
            "Leave the column out. For rows that must keep their ids: INSERT ... OVERRIDING SYSTEM VALUE, and"
            " set the sequence afterwards.",
        ),
        lines=(
            '(psycopg2.errors.GeneratedAlways) cannot insert a non-DEFAULT value into column "{column}"',
        ),
        also=("can only be updated to DEFAULT",),
        kinds=("GeneratedAlways",),
        prevent="Identity(always=False) where rows are to bring ids along.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="G24",
        mistake=Mistake(
            "something else uses the column",
            "A policy, a trigger or a computed column is made for the column's present type, so PostgreSQL"
            " does not change it. The DETAIL line names it.",
            "Drop it, change the type, make it again, all in one revision.",
        ),
        lines=(
            "(psycopg2.errors.FeatureNotSupported) cannot alter type of a column used in a trigger"
            " definition",
        ),
        also=(
            "cannot alter type of a column used in a policy definition",
            "cannot alter type of a column used by a generated column",
            "cannot alter type of a column used by a function or procedure",
        ),
        prevent="Try each revision on a copy with all policies and triggers.",
        chapter=12,
    ),
    Entry(
        id="D11b",
        mistake=Mistake(
            "an index that is not there",
            "This database has no index of this name: it was named otherwise, dropped by hand, or went"
            " with its table or column.",
            "pg_indexes lists the names. Where databases differ, DROP INDEX IF EXISTS serves them all.",
        ),
        lines=('(psycopg2.errors.UndefinedObject) index "{index}" does not exist',),
        also=("no such index: ",),
        prevent="Names by a naming convention.",
        chapter=8,
        commands=("downgrade", "upgrade"),
    ),
    Entry(
        id="D12",
        mistake=Mistake(
            "the convention names it twice",
            "A naming convention is applied to names in operations, too: the full name gets its"
            " beginning once more.",
            'op.f("ck_jobs_title") says that a name is complete.',
        ),
        lines=("ck_{table}_ck_{table}",),
        prevent="op.f() around each full name; drafts do it.",
        chapter=8,
        quiet=True,
        tell="op.f() says that the name is complete.",
    ),
    Entry(
        id="D13",
        mistake=Mistake(
            "a default that stands still",
            "Text in server_default is put in quotes: 'now()' is worked out once, when the table is"
            " made, and stays that moment.",
            'server_default=sa.func.now(), or sa.text("now()").',
        ),
        lines=("DEFAULT 'now()'",),
        also=("DEFAULT 'CURRENT_TIMESTAMP'",),
        prevent="sa.text or sa.func for whatever is not a literal.",
        tell="A quoted now() is worked out once: sa.func.now() is meant.",
        chapter=6,
        commands=("upgrade --sql",),
        quiet=True,
    ),
    Entry(
        id="D13b",
        mistake=Mistake(
            "a default of the wrong kind",
            "server_default takes text or an expression of SQL, and not a Python value such as True or 0.",
            'sa.true(), sa.text("0"), or the value in quotes.',
        ),
        lines=("sqlalchemy.exc.ArgumentError: Argument 'arg' is expected to be one of type",),
        prevent="A type checker sees it.",
        chapter=6,
    ),
    Entry(
        id="D14c",
        mistake=Mistake(
            "a row that is there already",
            "A UNIQUE or a primary key holds each value once, and the DETAIL line names the one that is"
            " there.",
            "Update that row, or insert with ON CONFLICT. In a migration, mind that it may run on a"
            " database that has the row.",
        ),
        lines=(
            '(psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint "{constraint}"',
        ),
        also=("UNIQUE constraint failed: ", "Duplicate entry '"),
        when=lambda seen: False if re.match("pg_", seen.name("constraint")) else None,
        tell="The row itself is there already: the DETAIL line names its value.",
        prevent="Tests with rows like production's.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="D14",
        mistake=shared("ids that the sequence does not know"),
        lines=(
            '(psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint "{constraint}"',
        ),
        cure="SELECT setval(pg_get_serial_sequence('companies', 'id'), max(id)) FROM companies, once, and"
        " in the revision that brought the ids.",
        prevent="Leave ids to the database.",
        chapter=7,
        commands=("python", "upgrade"),
        when=lambda seen: (
            None if re.search("(?<!alembic_version)_pkey", seen.name("constraint")) else False
        ),
        tell="Did a migration bring ids along? Then the sequence still begins at the first one.",
    ),
    Entry(
        id="D14b",
        mistake=shared("a table is an object here"),
        lines=("AttributeError: 'str' object has no attribute '{attribute}'",),
        when=lambda seen: seen.sends("bulk_insert") or "bulk_insert" in seen.reading.text,
        cure='sa.table("jobs", sa.column("title")) in place of the text.',
        prevent="A type checker sees it.",
        chapter=7,
    ),
    Entry(
        id="D15b",
        mistake=Mistake(
            "a row that refers to nothing",
            "A foreign key wants the row that it names to be there, and the DETAIL line says which is not.",
            "Insert the parent first, or use an id that is there.",
        ),
        lines=(
            '(psycopg2.errors.ForeignKeyViolation) insert or update on table "{table}" violates foreign key constraint "{constraint}"',
        ),
        also=("Cannot add or update a child row: a foreign key constraint fails",),
        when=lambda seen: (
            False if seen.sends("ALTER TABLE|ADD CONSTRAINT|create_foreign_key") else None
        ),
        prevent="Parents first, in data as in tables.",
        chapter=4,
        commands=("python", "%sql"),
    ),
    Entry(
        id="D15",
        mistake=shared("rows that break the rule"),
        lines=(
            '(psycopg2.errors.ForeignKeyViolation) insert or update on table "{table}" violates foreign key constraint "{constraint}"',
            '(psycopg2.errors.UniqueViolation) could not create unique index "{constraint}"',
            '(psycopg2.errors.CheckViolation) check constraint "{constraint}" of relation "{table}" is violated by some row',
        ),
        also=("Cannot add or update a child row: a foreign key constraint fails",),
        when=lambda seen: (
            "foreign key" not in seen.reading.block
            or seen.sends("ADD CONSTRAINT|FOREIGN KEY|create_foreign_key")
            or (False if seen.reading.statement else None)
        ),
        tell="A key that is new to the table: find the rows that break it, before it comes.",
        cure="Find the rows with a SELECT (the DETAIL line names one), put them right, then add the rule.",
        prevent="Try it on a copy of production's rows. On big tables: NOT VALID, then VALIDATE.",
        chapter=8,
        look=invalid,
    ),
    Entry(
        id="D15c",
        mistake=Mistake(
            "a row that others refer to",
            "Rows of another table hold its id, and their foreign key does not let it go.",
            "Delete or move those rows first. ON DELETE in the key says what should happen by itself.",
        ),
        lines=(
            '(psycopg2.errors.ForeignKeyViolation) update or delete on table "{table}" violates foreign key constraint "{constraint}" on table',
        ),
        also=("Cannot delete or update a parent row: a foreign key constraint fails",),
        prevent="Decide on ON DELETE when the key is made.",
        chapter=4,
        commands=("python", "%sql"),
    ),
    Entry(
        id="D15d",
        mistake=Mistake(
            "a value that is required",
            "A row came in without a value for a column that is NOT NULL and has no default in the"
            " database. default= of a model is filled in by Python alone.",
            "Give the value, or the column a server_default. If the code is older than the column, the"
            " column came too early.",
        ),
        lines=(
            '(psycopg2.errors.NotNullViolation) null value in column "{column}" of relation "{table}" violates not-null constraint',
        ),
        also=(
            'null value in column "{column}" violates not-null constraint',
            "NOT NULL constraint failed: ",
            "doesn't have a default value",
            "Column '{column}' cannot be null",
        ),
        prevent="New columns nullable or with server_default while old code runs.",
        chapter=12,
        commands=("python", "%sql"),
    ),
    Entry(
        id="D15e",
        mistake=Mistake(
            "a value that a rule refuses",
            "A CHECK of the table is not true for this row; the DETAIL line shows it.",
            "Look the rule up in pg_constraint, and put the row right.",
        ),
        lines=(
            '(psycopg2.errors.CheckViolation) new row for relation "{table}" violates check constraint',
        ),
        also=("CHECK constraint failed: ", "Check constraint '{constraint}' is violated"),
        prevent="The same rule in the application, with a better message.",
        chapter=8,
        commands=("python", "%sql"),
    ),
    Entry(
        id="D15f",
        mistake=Mistake(
            "a key that leads to no key",
            "A foreign key names one row of the other table, so it needs a primary key or a UNIQUE there"
            " over exactly these columns.",
            "Refer to the primary key, or make the columns UNIQUE first.",
        ),
        lines=(
            "(psycopg2.errors.InvalidForeignKey) there is no unique constraint matching given keys for referenced table",
        ),
        prevent="Refer to ids.",
        chapter=2,
    ),
    Entry(
        id="D16",
        mistake=Mistake(
            "a name that is too long",
            "A name has more characters than the database keeps: 63 in PostgreSQL, 64 in MySQL. SQLAlchemy stops; PostgreSQL cuts raw SQL in silence.",
            "Name it yourself, and shorter.",
        ),
        lines=(
            "sqlalchemy.exc.IdentifierError: Identifier '{name}' exceeds maximum length of 63 characters",
        ),
        also=(
            "Identifier '{name}' exceeds maximum length of",
            "Identifier name '{name}' is too long",
        ),
        prevent="Short names for tables and columns, where a convention joins them.",
        chapter=8,
    ),
    Entry(
        id="C12c",
        mistake=shared("a value that is too long"),
        lines=(
            "(psycopg2.errors.StringDataRightTruncation) value too long for type character varying({length})",
        ),
        also=("Data too long for column",),
        when=lambda seen: (
            False if re.search("alembic_version|version_num", seen.reading.statement) else None
        ),
        cure="Shorten the value, or make the column longer in a revision.",
        prevent="Check lengths where values come in.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="D17",
        mistake=Mistake(
            "a view stands on the column",
            "A view or a rule uses the column, so PostgreSQL neither drops it nor changes its type.",
            "Drop the view, change the column, create the view again, all in one revision.",
        ),
        lines=(
            "(psycopg2.errors.DependentObjectsStillExist) cannot drop column {column} of table {table}"
            " because other objects depend on it",
            "(psycopg2.errors.FeatureNotSupported) cannot alter type of a column used by a view or rule",
        ),
        when=lambda seen: bool(re.search(r"\b(?:view|rule|materialized)\b", seen.reading.block)),
        prevent="Views in revisions, so that a search finds them.",
        chapter=12,
    ),
    Entry(
        id="D17b",
        mistake=shared("a type that is still in use"),
        lines=(
            "(psycopg2.errors.DependentObjectsStillExist) cannot drop type {type} because other objects depend on it",
        ),
        cure="Drop the columns that have it first, or change their type.",
        prevent="Take each revision up, down and up again.",
        chapter=8,
        commands=("downgrade",),
    ),
    Entry(
        id="D17c",
        mistake=Mistake(
            "a rule that others stand on",
            "Something else stands on it, such as a foreign key of another table, or a view on a view.",
            "Drop what the DETAIL line names first, and make it again afterwards.",
        ),
        lines=(
            "(psycopg2.errors.DependentObjectsStillExist) cannot drop constraint {constraint} on table"
            " {table} because other objects depend on it",
        ),
        prevent="Try each revision on a copy with all tables.",
        chapter=8,
    ),
    Entry(
        id="D18",
        mistake=Mistake(
            "SQLite has no ALTER for that",
            "SQLite changes a table hardly at all. Alembic's batch mode makes a new table and copies"
            " the rows.",
            "with op.batch_alter_table(...), render_as_batch=True in env.py, and a name for each"
            " constraint.",
        ),
        lines=(
            '(sqlite3.OperationalError) near "ALTER": syntax error',
            "NotImplementedError: No support for ALTER of constraints in SQLite dialect.",
        ),
        also=(
            "No support for ALTER of constraints in SQLite dialect",
            'near "ALTER": syntax error',
            '(sqlite3.OperationalError) near "DROP": syntax error',
            "Cannot add a UNIQUE column",
            "Cannot add a PRIMARY KEY column",
            "Cannot add a column with non-constant default",
            "Cannot add a REFERENCES column with non-NULL default value",
            '(sqlite3.OperationalError) near "CONSTRAINT": syntax error',
        ),
        prevent="Develop on the system that production has.",
        chapter=8,
    ),
    Entry(
        id="D18c",
        mistake=Mistake(
            "a constraint without a name in batch mode",
            "Batch mode makes the table again and has to tell its constraints apart by their names; this"
            " one was given None, as drafts do where there is no naming convention.",
            "A name in the operation, or op.batch_alter_table(..., naming_convention=...).",
        ),
        lines=("ValueError: Constraint must have a name",),
        prevent="MetaData(naming_convention=...) from the first revision on.",
        chapter=8,
    ),
    Entry(
        id="D18b",
        mistake=Mistake(
            "a copy that an earlier try has left",
            "Batch mode copies a table to _alembic_tmp_ and its name. An earlier upgrade stopped between,"
            " and SQLite takes nothing back.",
            "Drop the table _alembic_tmp_..., look what else the first try has done, run it again.",
        ),
        lines=("(sqlite3.OperationalError) table _alembic_tmp_{table} already exists",),
        prevent="Try a migration on a copy of the file first.",
        chapter=8,
    ),
    Entry(
        id="D19",
        mistake=Mistake(
            "two tables that need each other",
            "Each has a foreign key to the other, so none can come first.",
            "Create both without these keys, then op.create_foreign_key.",
        ),
        lines=(
            "SAWarning: Cannot correctly sort tables; there are unresolvable cycles between tables",
        ),
        also=("sqlalchemy.exc.CircularDependencyError", "Can't sort tables for DROP;"),
        when=lambda seen: not re.search("ProcessAll|SaveUpdate", seen.reading.block),
        prevent="use_alter=True in one of the two ForeignKeys.",
        chapter=8,
        commands=("revision --autogenerate", "upgrade"),
    ),
    Entry(
        id="D20",
        mistake=Mistake(
            "a foreign key that reads the whole table",
            "add_column with a ForeignKey sends two statements, and the second reads every row under a"
            " lock.",
            "inline_references=True (Alembic 1.18.2) makes it one, which knows that the column is empty.",
        ),
        lines=("ADD FOREIGN KEY(",),
        prevent="Look at upgrade --sql before production does.",
        tell="On a big table: inline_references=True in op.add_column.",
        chapter=11,
        commands=("upgrade --sql",),
        quiet=True,
    ),
    Entry(
        id="D21f",
        mistake=Mistake(
            "a name that Python does not know",
            "The file uses a name that it neither defines nor imports. Most often an import is missing; it"
            " can also be a slip, or quotes that were forgotten.",
            "The line above the error names the place. Import the name there, or spell it as it is"
            " defined.",
        ),
        lines=("NameError: name '{name}' is not defined",),
        prevent="A linter (ruff check) says so before anything runs.",
        chapter=6,
    ),
    Entry(
        id="D21",
        mistake=shared("an import is missing"),
        lines=("NameError: name '{name}' is not defined",),
        when=lambda seen: _imported(seen) or None,
        tell="Is it a package's? Then the import of it is missing at the top of the file.",
        cure="Write the import at the top of the file: from sqlalchemy.dialects import postgresql.",
        account="The name stands in the file and no import of it does. Drafts write the names of types and leave some of their imports to you.",
        prevent="Run each revision before it is shared; put common imports into script.py.mako.",
        chapter=6,
    ),
    Entry(
        id="D21b",
        mistake=Mistake(
            "a file that Python cannot read",
            "Alembic reads every file in versions, whatever the command, and one of them is not Python.",
            "The lines above the error name the file and the line.",
        ),
        lines=("SyntaxError: invalid syntax",),
        also=("SyntaxError: ", "IndentationError: ", "TabError: "),
        when=lambda seen: (
            "Interpolation" not in seen.reading.block
            and bool(re.search(r"versions|env\.py", _file(seen)))
        ),
        prevent="alembic history in CI: it reads all files.",
        chapter=2,
        commands=("history", "upgrade"),
    ),
    Entry(
        id="D21c",
        mistake=Mistake(
            "a revision without its ids",
            "A file in versions has no revision or down_revision, or does not come from alembic revision"
            " at all.",
            "Write both at its top level, or move the file away.",
        ),
        lines=("AttributeError: module '{module}' has no attribute 'down_revision'",),
        also=(
            "module '{module}' has no attribute 'revision'",
            "Could not determine revision id from filename {file}. Be sure the 'revision' variable is declared",
        ),
        prevent="alembic revision makes files.",
        chapter=9,
        commands=("history", "upgrade"),
    ),
    Entry(
        id="D21e",
        mistake=shared("an operation that Alembic does not have"),
        lines=("AttributeError: module 'alembic.op' has no attribute '{operation}'",),
        cure="op.alter_column for what a column has, its name too, op.rename_table, op.drop_constraint:"
        " the operation reference lists them. op.execute takes SQL for the rest.",
        prevent="Let Alembic draft what it can, and look up the rest.",
        chapter=6,
    ),
    Entry(
        id="D21d",
        mistake=shared("a function that Alembic does not find"),
        lines=("AttributeError: module '{module}' has no attribute 'upgrade'",),
        also=("_py' has no attribute 'downgrade'", "_' has no attribute 'downgrade'"),
        cure="def upgrade() -> None: and def downgrade() -> None:, by these names.",
        when=lambda seen: not re.match(r"(?:flask_)?(?:alembic|migrate)\b", seen.name("module")),
        prevent="alembic revision makes files.",
        chapter=2,
        commands=("upgrade", "downgrade"),
    ),
    Entry(
        id="G05",
        mistake=Mistake(
            "everything after the first error is refused",
            "In PostgreSQL an error ends the work of a transaction, and what comes after it is ignored"
            " until a rollback. This is not the error: an earlier one is.",
            "Look for the first error above it. In Python: roll back in the except, or use a savepoint"
            " (begin_nested).",
        ),
        lines=(
            "(psycopg2.errors.InFailedSqlTransaction) current transaction is aborted, commands ignored"
            " until end of transaction block",
        ),
        also=(
            "current transaction is aborted",
            "Can't reconnect until invalid transaction is rolled back",
        ),
        kinds=("InFailedSqlTransaction",),
        echo=True,
        prevent="No try around a statement in a migration.",
        chapter=3,
        commands=("upgrade", "python"),
    ),
)


def _imported(seen: Seen) -> bool:
    """Whether a revision lacks the name, or it is one that revisions import."""
    place = seen.reading.place
    return seen.name("name") in IMPORTED or bool(place and "versions" in place.file)


def _file(seen: Seen) -> str:
    """The file of the last frame, wherever it is: a SyntaxError names the one that it is in."""
    names = re.findall(r'File "([^"]+)"', seen.reading.text)
    return names[-1] if names else ""
