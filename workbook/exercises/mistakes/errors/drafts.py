"""Mistakes that autogenerate and check make, see or pass over, and what their drafts do to rows."""

import re
from collections.abc import Iterable

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen, index_is_made, shared

CLEAN = "No new upgrade operations detected."
DRAFT = ("revision --autogenerate", "check")
EXTENSIONS = ("vector", "halfvec", "citext", "hstore", "ltree", "geometry", "geography")


def _rows(seen: Seen) -> Iterable[str]:
    """How many rows are in the way."""
    table, column = seen.name("table"), seen.name("column")
    site = seen.site
    if not site or not table.replace("_", "").isalnum() or not column.replace("_", "").isalnum():
        return
    for (rows,) in site.ask(f'SELECT count(*) FROM "{table}"'):
        yield f"{table} holds {rows} row{'s' * (rows != 1)} now."
    for (rows,) in site.ask(f'SELECT count(*) FROM "{table}" WHERE "{column}" IS NULL'):
        yield f"{column} is NULL in {rows} of them."


def _values(seen: Seen) -> Iterable[str]:
    query = (
        "SELECT enumlabel FROM pg_enum WHERE enumtypid = to_regtype(:type) ORDER BY enumsortorder"
    )
    values = (
        [value for (value,) in seen.site.ask(query, type=seen.name("type"))] if seen.site else []
    )
    if values:
        yield f"In the database, {seen.name('type')} has the values {', '.join(values)}."


def _unversioned(seen: Seen) -> bool | None:
    """Whether the database has tables and no revision. From a text alone nobody can tell."""
    if index_is_made(seen):
        return False
    if not seen.site or not seen.site.answers:
        return None
    return not seen.site.at and bool(seen.site.tables)


ENTRIES = (
    Entry(
        id="B01",
        mistake=Mistake(
            "env.py does not know the models",
            "Alembic was handed no MetaData to compare the database with. Most often target_metadata in env.py is None, as the template has it.",
            "Import Base in env.py and set target_metadata = Base.metadata.",
        ),
        lines=(
            "FAILED: Can't proceed with --autogenerate option; environment script {file} does not"
            " provide a MetaData object or sequence of objects to the context.",
        ),
        prevent="Set it right after alembic init.",
        chapter=6,
        commands=DRAFT,
    ),
    Entry(
        id="B02",
        mistake=shared("importing Base is not importing the models", "6.5"),
        lines=("Detected removed table '{table}'",),
        cure="Import in env.py the modules that hold the classes, not only Base. Delete the draft.",
        prevent="A test that every table of the models is in target_metadata: pytest-alembic has one.",
        tell="The table has a class, in a module that env.py does not import.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B17",
        mistake=Mistake(
            "a table that Alembic does not own",
            "Everything in the schema is compared, and what the models do not have is proposed to be"
            " dropped.",
            "Delete the drop from the draft, and pass the table over with include_name in env.py.",
        ),
        lines=("Detected removed table '{table}'",),
        tell="Another program made the table: include_name in env.py passes it over.",
        prevent="Read each drop in a draft twice.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B05",
        mistake=Mistake(
            "a renamed table is not a dropped one",
            "A comparison sees two states and no intention: the old name is gone, the new one is there."
            " The draft drops the rows.",
            "Write op.rename_table. The sequence, the key and the indexes keep their old names.",
        ),
        lines=("Detected added table '{new}'…Detected removed table '{old}'",),
        tell="A table of the same columns is added and another one removed.",
        prevent="Never apply a draft with a drop in it unread.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B04",
        mistake=shared("a rename is not a drop and an add", "6.3"),
        lines=("Detected added column '{new}'…Detected removed column '{old}'",),
        cure="op.alter_column(..., new_column_name=...) renames and keeps the values.",
        tell="A column is added and one of the same table removed.",
        prevent="Never apply a draft with a drop in it unread. In production, expand and contract.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B03",
        mistake=Mistake(
            "a draft before the database is up to date",
            "The draft is the difference between models and database, so the database has to stand at"
            " the head first: what a waiting revision does would be drafted again.",
            "Run alembic upgrade head, then draft.",
        ),
        lines=("FAILED: Target database is not up to date.",),
        prevent="upgrade head, edit the models, draft: in this order.",
        chapter=6,
        commands=DRAFT,
        look=lambda seen: _pending(seen),
    ),
    Entry(
        id="E04b",
        mistake=Mistake(
            "models and database differ",
            "alembic check compares them and found something: the message lists what a draft would hold."
            " That is check's answer, and nothing has broken.",
            "Draft a revision, read it, apply it. If the models are behind, change them.",
        ),
        lines=("FAILED: New upgrade operations detected: ",),
        prevent="Run alembic check in CI, on a database that was migrated from nothing.",
        chapter=6,
        commands=("check",),
    ),
    Entry(
        id="B08",
        mistake=Mistake(
            "what check does not compare",
            "A CHECK, a primary key, an exclusion, the values of an enum, triggers, views and rights"
            " are not compared, unless a setting or a plugin does it.",
            "Write such a change by hand. For CHECK by its name: autogenerate_plugins="
            '["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"].',
        ),
        lines=(CLEAN,),
        tell="Is the change a CHECK, a primary key, a value of an enum? Write it by hand.",
        prevent="Read in Alembic's documentation what autogenerate does and does not detect.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B06",
        mistake=Mistake(
            "a length on one side alone",
            "String and VARCHAR(50) count as equal: a length is compared where both sides have one.",
            "Put the length into the model too; compare_type takes a function that is stricter.",
        ),
        lines=(CLEAN,),
        tell="Does a String of the models have no length, and the column one?",
        prevent="Lengths in the models, where there are any.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B07",
        mistake=Mistake(
            "a default that is not compared",
            "Defaults of the server are compared only when asked for.",
            "compare_server_default=True in context.configure, in env.py.",
        ),
        lines=(CLEAN,),
        tell="Has a server_default changed? compare_server_default=True makes check see it.",
        prevent="Turn it on from the first day.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="E04",
        mistake=Mistake(
            "models that this Python has read before",
            "A module is imported once. alembic.command in a notebook or a test compares the models as"
            " they were when they were imported.",
            "Run alembic in a process of its own: the command, not alembic.command.",
        ),
        lines=(CLEAN,),
        tell="Does alembic run within a notebook or a test? A process of its own reads the file anew.",
        prevent="Use the command line in notebooks, with the exclamation mark.",
        chapter=6,
        commands=("python",),
        quiet=True,
    ),
    Entry(
        id="C08",
        mistake=shared("an applied revision is not read again", "6.1"),
        lines=(CLEAN,),
        cure="Take the edit back, and write a new revision with the change.",
        tell="Was an applied file edited? It does not run again; write a new revision.",
        prevent="A revision that others have applied is never edited.",
        chapter=6,
        commands=("upgrade",),
        quiet=True,
    ),
    Entry(
        id="E09",
        mistake=Mistake(
            "create_all in the application",
            "At its start the application makes tables that are missing, and no revision does. They"
            " never get a new column, and check is silent about them.",
            "Take create_all out of the application, and write a revision for the table.",
        ),
        lines=(CLEAN,),
        tell="Does the application call create_all? Then it has made the table, and no revision.",
        prevent="One owner of the tables: Alembic.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B18",
        mistake=Mistake(
            "a schema that is not looked at",
            "Without include_schemas only the default schema is read, so tables of another one look"
            " new each time.",
            "include_schemas=True in env.py, with include_name for those that are meant.",
        ),
        lines=("Detected added table '{schema}.{table}'",),
        tell="The table is there already, in another schema.",
        prevent="Say in env.py which schemas belong to the project.",
        chapter=8,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B18b",
        mistake=Mistake(
            "a schema that is not there",
            "The database has no schema of this name for what the statement names: Alembic and SQLAlchemy make tables, and the schema has to be there. Most often nobody has made it in this database; it can also be a dot in a name that is no schema's, or a search_path that leads nowhere.",
            'op.execute("CREATE SCHEMA ...") before the first table that goes into it, or the name as it is meant.',
        ),
        lines=('(psycopg2.errors.InvalidSchemaName) schema "{schema}" does not exist',),
        also=("no schema has been selected to create in",),
        kinds=("InvalidSchemaName",),
        when=lambda seen: seen.name("schema") not in ("np", "numpy"),
        prevent="Make the schema in the first revision that uses it.",
        chapter=8,
    ),
    Entry(
        id="B18c",
        mistake=Mistake(
            "a number of numpy's",
            "The value is no Python number but one of numpy's, and since numpy 2 the driver writes it as"
            " np.float64(...) into the statement, where np looks like a schema.",
            "Hand over Python's own: float(value), int(value), or .tolist() of an array.",
        ),
        lines=('(psycopg2.errors.InvalidSchemaName) schema "{schema}" does not exist',),
        when=lambda seen: seen.name("schema") in ("np", "numpy"),
        prevent="Turn numbers into Python's where they leave numpy or pandas.",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="B21",
        mistake=Mistake(
            "a view drafted as a table",
            "CreateView(metadata=...) puts a Table into the metadata, and a draft makes a table of it.",
            "Pass it over with include_object in env.py, and create the view with op.execute.",
        ),
        lines=("Detected added table '{table}'",),
        tell="Is it a view of SQLAlchemy's CreateView? The draft would make a table of that name.",
        prevent="Keep views out of the models' metadata.",
        chapter=6,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B22",
        mistake=Mistake(
            "a computed column cannot be altered",
            "The expression of a computed column differs, and Alembic does not change it. Without"
            " persisted= it is VIRTUAL on PostgreSQL 18 and was STORED before.",
            "Drop the column and add it again, and write persisted=True or False.",
        ),
        lines=("UserWarning: Computed default on {column} cannot be modified",),
        prevent="Say persisted= each time.",
        chapter=6,
        commands=DRAFT,
    ),
    Entry(
        id="B23",
        mistake=Mistake(
            "an index that keeps writers out",
            "A plain CREATE INDEX lets nobody write until it is built. A foreign key brings no index"
            " along: index=True in the model does, and is drafted as a plain one.",
            "In production: postgresql_concurrently=True within op.get_context().autocommit_block().",
        ),
        lines=("Detected added index '{index}' on",),
        tell="On a table in use, build it CONCURRENTLY.",
        prevent="Edit each drafted index before it goes to production.",
        chapter=10,
        commands=DRAFT,
        quiet=True,
    ),
    Entry(
        id="B10",
        mistake=Mistake(
            "a value that the enum in the database lacks",
            "PostgreSQL's type has no value spelled like this. Most often the models have a new one and no revision adds it (check does not detect that); it can also be upper and lower case: SQLAlchemy stores the names of a Python enum's members, and not their values.",
            "For a new one: op.execute(\"ALTER TYPE ... ADD VALUE '...'\") in a revision of its own. For the spelling: values_callable in sa.Enum, or the value as the type has it.",
        ),
        lines=(
            '(psycopg2.errors.InvalidTextRepresentation) invalid input value for enum {type}: "{value}"',
        ),
        also=("is not an existing enum label", 'invalid input value for enum {type}: "{value}"'),
        prevent="A CHECK or a table of values changes more easily than an enum.",
        chapter=8,
        commands=("python", "upgrade"),
        look=_values,
    ),
    Entry(
        id="B09",
        mistake=shared("a constraint without a name, dropped by name"),
        lines=(
            "sqlalchemy.exc.CompileError: Can't emit DROP CONSTRAINT for constraint"
            " UniqueConstraint(…); it has no name",
        ),
        also=("it has no name",),
        cure="Give op.drop_constraint the name that the database has: pg_constraint lists it.",
        prevent="MetaData(naming_convention=...) from the first revision on.",
        chapter=8,
        commands=("downgrade",),
    ),
    Entry(
        id="G01",
        mistake=shared("a type that is there already"),
        lines=('(psycopg2.errors.DuplicateObject) type "{type}" already exists',),
        also=("DuplicateObjectError: type {type} already exists",),
        cure="Make it in one place: create_type=False where it is there already, or drop the one that"
        " an earlier downgrade has left.",
        account="The schema has a type of this name. Most often a downgrade has left it (dropping a table leaves its enum), or two tables with the same enum each make it; it can also be create_all or an earlier try.",
        prevent="A type made and dropped by one revision alone, with checkfirst=True.",
        chapter=8,
    ),
    Entry(
        id="B11",
        mistake=shared("a type that stays behind"),
        lines=('(psycopg2.errors.DuplicateObject) type "{type}" already exists',),
        cure='op.execute("DROP TYPE ...") once by hand, and as the last line of downgrade().',
        tell="It was downgraded before: op.drop_table leaves the type. DROP TYPE belongs into downgrade().",
        prevent="Take each revision up, down and up again.",
        chapter=8,
    ),
    Entry(
        id="B24",
        mistake=Mistake(
            "one type in two revisions",
            "Each create_table makes its enum. Within one upgrade Alembic remembers the first; when the"
            " second revision is applied later, it does not.",
            "postgresql.ENUM(..., create_type=False) in the second revision.",
        ),
        lines=('(psycopg2.errors.DuplicateObject) type "{type}" already exists',),
        tell="An earlier revision made it for another table: create_type=False in the later one.",
        prevent="Apply revisions one by one in a test, as a deploy does.",
        chapter=8,
    ),
    Entry(
        id="B12",
        mistake=shared("add_column makes no type"),
        lines=('(psycopg2.errors.UndefinedObject) type "{type}" does not exist',),
        cure="Make the type first: postgresql.ENUM(..., create_type=False), then"
        " .create(op.get_bind(), checkfirst=True); and .drop in downgrade().",
        prevent="Write types by hand; an enum in a draft is never complete.",
        chapter=8,
        when=lambda seen: (
            seen.name("type") not in EXTENSIONS
            and (True if seen.sends(r"add_column.*Enum|Enum\(.*add_column") else None)
        ),
        tell="Does a revision add a column of an enum? Make the type first, in the same revision.",
    ),
    Entry(
        id="B12b",
        mistake=Mistake(
            "a type that is not there",
            "PostgreSQL knows no type of this name: it was never made in this database, is in another"
            " schema, or an extension brings it.",
            "Make it first, in a revision: CREATE TYPE, or CREATE EXTENSION for what an extension has.",
        ),
        lines=('(psycopg2.errors.UndefinedObject) type "{type}" does not exist',),
        when=lambda seen: seen.name("type") not in EXTENSIONS or False,
        prevent="Build a database from nothing with the revisions alone, in CI.",
        chapter=8,
    ),
    Entry(
        id="B12c",
        mistake=Mistake(
            "a type that an extension brings",
            "The type belongs to an extension, and this database has not made it: each database needs its"
            " own CREATE EXTENSION. It can also be in a schema outside the search_path.",
            'op.execute("CREATE EXTENSION IF NOT EXISTS ...") before the first use (pgvector\'s is called'
            " vector), by a role that may; or let an administrator do it.",
        ),
        lines=('(psycopg2.errors.UndefinedObject) type "{type}" does not exist',),
        when=lambda seen: seen.name("type") in EXTENSIONS,
        prevent="The extension in the first revision that needs it.",
        chapter=8,
    ),
    Entry(
        id="B12d",
        mistake=Mistake(
            "an extension that the server does not have",
            "The files of the extension are not on the machine where PostgreSQL runs, or its name is"
            " another one (pgvector's is vector).",
            "Install its package on the server, or take an image that has it (pgvector/pgvector,"
            " postgis/postgis); with a provider, turn it on there. Then CREATE EXTENSION.",
        ),
        lines=('(psycopg2.errors.FeatureNotSupported) extension "{extension}" is not available',),
        also=("could not open extension control file",),
        prevent="The same image in development, in CI and in production.",
        chapter=8,
    ),
    Entry(
        id="B25",
        mistake=Mistake(
            "an enum without a name",
            "On PostgreSQL an enum is a type of the schema and needs a name. sa.Enum takes it from a Python"
            " class; with mere texts there is none.",
            'sa.Enum("open", "closed", name="status").',
        ),
        lines=("sqlalchemy.exc.CompileError: PostgreSQL ENUM type requires a name.",),
        also=("ENUM type requires a name",),
        prevent="A name for each enum.",
        chapter=8,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="B26",
        mistake=Mistake(
            "a column without a type",
            "The column was given no type, or a draft has written NullType() for one that SQLAlchemy did not"
            " recognise in the database.",
            "Write the type. For an extension's, import its package in env.py, so that it is recognised.",
        ),
        lines=(
            "sqlalchemy.exc.CompileError: (in table '{table}', column '{column}'): Can't generate DDL for"
            " NullType(); did you forget to specify a type on this Column?",
        ),
        also=("Can't generate DDL for NullType()",),
        prevent="Read a draft for NullType before it is applied.",
        chapter=6,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="B14",
        mistake=shared("NOT NULL on a table that holds rows"),
        lines=(
            '(psycopg2.errors.NotNullViolation) column "{column}" of relation "{table}" contains null values',
        ),
        also=(
            'column "{column}" contains null values',
            "Cannot add a NOT NULL column with default value NULL",
        ),
        when=lambda seen: (
            not seen.sends("SET NOT NULL|alter_column") and (seen.sends("ADD COLUMN") or None)
        ),
        cure="A new column: add it as nullable or with a server_default, fill it, then require it.",
        tell="The column is new: nullable first, then fill it, then NOT NULL.",
        prevent="Try migrations on a database with rows.",
        chapter=7,
        look=_rows,
    ),
    Entry(
        id="B13",
        mistake=shared("default= is Python's, not the database's"),
        lines=(
            '(psycopg2.errors.NotNullViolation) column "{column}" of relation "{table}" contains null values',
        ),
        when=lambda seen: (
            not seen.sends("SET NOT NULL|alter_column") and (seen.sends(r"(?<!_)default=") or None)
        ),
        cure="server_default= gives the old rows a value; it can be taken away again afterwards.",
        tell="The model has default=: autogenerate makes no DEFAULT of it, server_default= does.",
        prevent="server_default= wherever the database is to fill a value in.",
        chapter=7,
        look=_rows,
    ),
    Entry(
        id="B15",
        mistake=shared("required before every row has a value"),
        lines=(
            '(psycopg2.errors.NotNullViolation) column "{column}" of relation "{table}" contains null values',
        ),
        also=('column "{column}" contains null values',),
        when=lambda seen: (
            not seen.sends("ADD COLUMN|add_column") and (seen.sends("SET NOT NULL") or None)
        ),
        cure="UPDATE the rows that have none, then SET NOT NULL. On a big table: a CHECK as NOT VALID"
        " and VALIDATE first.",
        tell="The column was there: fill it with an UPDATE first.",
        prevent="Count the NULLs before you plan the change.",
        chapter=7,
        look=_rows,
    ),
    Entry(
        id="B16",
        mistake=shared("a type change that needs USING"),
        lines=(
            '(psycopg2.errors.DatatypeMismatch) column "{column}" cannot be cast automatically to type {type}',
        ),
        also=('You might need to specify "USING',),
        when=lambda seen: "default for column" not in seen.reading.block,
        cure='postgresql_using="column::integer" in op.alter_column, or any expression that gives the value.',
        prevent="Look at the values first: an expression can fail on the last of a million.",
        chapter=7,
    ),
    Entry(
        id="B16b",
        mistake=Mistake(
            "a default that the new type does not take",
            "The column has a DEFAULT of the old type, and PostgreSQL does not turn it into the new one.",
            "Drop the default, change the type, set a default of the new type: three operations.",
        ),
        lines=(
            '(psycopg2.errors.DatatypeMismatch) default for column "{column}" cannot be cast automatically to type',
        ),
        prevent="Look at the column's default before a change of type.",
        chapter=7,
    ),
    Entry(
        id="B16c",
        mistake=Mistake(
            "types that cannot be cast into each other",
            "PostgreSQL has no way from the one type to the other, so a cast in USING or in a query does not"
            " help by itself. Two enums are the usual case.",
            'By way of text: postgresql_using="column::text::new_type", or a CASE that says what becomes of'
            " each value.",
        ),
        lines=("(psycopg2.errors.CannotCoerce) cannot cast type {old} to {new}",),
        kinds=("CannotCoerce",),
        prevent="Try the change on a copy of production's rows.",
        chapter=7,
    ),
    Entry(
        id="B19",
        mistake=Mistake(
            "a draft that names what it does not import",
            "The draft writes a type with its module's name, as it does with all that are not SQLAlchemy's"
            " own, and the file has no import for it.",
            "Write the import at the top of the revision, or into script.py.mako for all of them.",
        ),
        lines=("NameError: name '{name}' is not defined",),
        when=lambda seen: _of_a_draft(seen),
        prevent="user_module_prefix or render_item in env.py.",
        chapter=6,
    ),
    Entry(
        id="G02",
        mistake=shared("a table that is there already"),
        lines=('(psycopg2.errors.DuplicateTable) relation "{table}" already exists',),
        also=("table {table} already exists", "Table '{table}' already exists"),
        kinds=("DuplicateTable",),
        when=lambda seen: (
            False
            if index_is_made(seen) or re.search("_alembic_tmp_|_seq$", seen.name("table"))
            else None
        ),
        cure="Find out what made it. If it is as the revision would make it, alembic stamp that"
        " revision; if it is a leftover, drop it.",
        account="The schema has a table of this name. Most often create_all, a dump or another revision has made it, or an earlier try that was broken off; it can also be that the database knows no revision, so that Alembic begins at the first one again.",
        prevent="One owner of the tables, and that is Alembic.",
        chapter=9,
    ),
    Entry(
        id="G02b",
        mistake=Mistake(
            "an index that is there already",
            "Something of this name is in the schema. Most often the index is made twice (by index=True in"
            " create_table and by create_index), or create_all or an earlier try has made it; it can"
            " also be one that a downgrade has left.",
            "Look where it comes from. Leave one of the two operations; drop a leftover by hand.",
        ),
        lines=('(psycopg2.errors.DuplicateTable) relation "{table}" already exists',),
        also=(
            "(sqlite3.OperationalError) index {table} already exists",
            "Duplicate key name '{table}'",
        ),
        when=lambda seen: index_is_made(seen) or bool(re.search("index|keyname", seen.said)),
        prevent="Take each revision up, down and up again.",
        chapter=5,
    ),
    Entry(
        id="G02c",
        mistake=Mistake(
            "a sequence that is there already",
            "A sequence of this name is in the schema: a serial column makes one by itself, and an earlier"
            " try or an older set-up may have left one.",
            "CREATE SEQUENCE IF NOT EXISTS, or drop the leftover, once you know which column uses it.",
        ),
        lines=('(psycopg2.errors.DuplicateTable) relation "{table}" already exists',),
        when=lambda seen: seen.sends("CREATE SEQUENCE") or seen.name("table").endswith("_seq"),
        prevent="Leave sequences to their columns.",
        chapter=5,
    ),
    Entry(
        id="B20",
        mistake=Mistake(
            "create_all was there first",
            "The tables are there and Alembic knows nothing of it: create_all or a dump made them, and"
            " alembic_version has no row.",
            "If they are as the revisions make them: alembic stamp with the right revision. If there is"
            " nothing in them, drop them.",
        ),
        lines=('(psycopg2.errors.DuplicateTable) relation "{table}" already exists',),
        when=_unversioned,
        tell="alembic current prints nothing: something else made the tables. Compare, then stamp.",
        prevent="No create_all beside Alembic, in tests neither.",
        chapter=9,
    ),
    Entry(
        id="C09",
        mistake=Mistake(
            "Alembic's own row is gone",
            "alembic_version was dropped or emptied, so Alembic begins at the first revision again.",
            "alembic stamp with the revision that the tables are really at.",
        ),
        lines=('(psycopg2.errors.DuplicateTable) relation "{table}" already exists',),
        when=_unversioned,
        tell="It was migrated before, and alembic current prints nothing now: stamp it.",
        prevent="Leave alembic_version to Alembic; take it along in dumps.",
        chapter=9,
    ),
)


def _pending(seen: Seen) -> Iterable[str]:
    if seen.site and seen.site.heads:
        yield f"The head is {' and '.join(seen.site.heads)}."


def _of_a_draft(seen: Seen) -> bool | None:
    """Whether the name stands before a dot in a column's type, and is none of the usual ones."""
    name = seen.name("name")
    if name in ("sa", "op", "postgresql", "sqlalchemy", "mysql"):
        return False
    return seen.sends(rf"\b{name}\.(\w+\.)*[A-Z]\w*\(") or False
