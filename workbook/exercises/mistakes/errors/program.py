"""Mistakes around a project: imports, versions that do not go together, settings, asyncio."""

import re

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen
from workbook.reading import squeezed

INSIDE = re.compile(
    r"(?:site|dist)-packages/(?:alembic|sqlalchemy|flask_sqlalchemy|flask_migrate|sqlmodel)/",
    re.IGNORECASE,
)

# What is asked of an object that is neither Python's own nor None, and is private or the library's
LIBRARYS = re.compile(
    r"'(?!str|dict|list|tuple|int|NoneType|Async|coroutine)\w+' object.*'_[A-Za-z]|'sqlalchemy\.|can't set attribute"
)


def _inside(seen: Seen) -> bool:
    """Whether the error was raised within one of the libraries, by its last frame or pytest's line."""
    text = seen.reading.text.replace("\\", "/")
    start = max(0, text.find(f"{seen.reading.kind}: {seen.reading.reason}"))
    frames = re.findall(r'File "([^"]+)", line', text[:start])
    after = re.search(r"^(\S+):\d+: \w+Error", text[start:], re.MULTILINE)
    return bool(INSIDE.search(after[1] if after else frames[-1] if frames else ""))


ENTRIES = (
    Entry(
        id="P01",
        mistake=Mistake(
            "modules that import each other",
            "A module is asked for a name before it has got to the line that defines it, because it imports,"
            " over others or at once, the one that asks.",
            "Put Base into a module of its own that imports no models; the models import it, and env.py"
            " imports the models. Within a function an import comes late enough, too.",
        ),
        lines=(
            "ImportError: cannot import name '{name}' from partially initialized module '{module}'"
            " (most likely due to a circular import)",
        ),
        also=(
            "cannot import name '{name}' from partially initialized module",
            "partially initialized module '{module}' has no attribute",
        ),
        prevent="Imports that point one way.",
        chapter=6,
        commands=("upgrade", "revision --autogenerate"),
    ),
    Entry(
        id="P02",
        mistake=Mistake(
            "a name that a module does not have",
            "The module is there and has no such name. Most often the code was written for another version of the package, or of Python, than the one that is installed; it can also be a slip, or another file of the same name that was found first.",
            "python -m pip show gives a package's version: look in its changes what has become of the name, and change the code or pin the version. The path in the message, or module.__file__, says which file it was.",
        ),
        lines=("ImportError: cannot import name '{name}' from '{module}'",),
        also=(
            "AttributeError: module '{module}' has no attribute '{name}'",
            "has been moved to the `pydantic-settings` package",
        ),
        when=lambda seen: None,
        prevent="A lock file, and updates one at a time with the tests run.",
        chapter=13,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P03",
        mistake=Mistake(
            "a name that SQLAlchemy does not have",
            "The package sqlalchemy has no such name in the version that is installed. Most often the code,"
            " or a package that uses it, is for an older or a newer one; in a draft it can also be a"
            " type that has to be imported from a dialect or from its own package.",
            "python -m pip show sqlalchemy gives the version: update what uses the name, or pin SQLAlchemy."
            " In a revision: write the type with the import it needs.",
        ),
        lines=("AttributeError: module 'sqlalchemy' has no attribute '{name}'",),
        also=("module 'sqlalchemy.{module}' has no attribute '{name}'",),
        prevent="A lock file, and updates one at a time with the tests run.",
        chapter=13,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P03b",
        mistake=Mistake(
            "a part of Alembic that was not imported",
            "import alembic brings op and context along and no other part; or a file of your own by the"
            " name of alembic was imported in place of the library.",
            "from alembic import command, and from alembic.config import Config, each by its name.",
        ),
        lines=("AttributeError: module 'alembic' has no attribute '{name}'",),
        prevent="Import what you use by its whole name.",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="P04",
        mistake=Mistake(
            "something inside a library that is not there",
            "A library has asked an object for something of its own that is not there. Most often Alembic, SQLAlchemy and what stands on them (Flask-SQLAlchemy, SQLModel) are of versions that do not go together; it can also be that an object of another kind was handed to it.",
            "python -m pip list shows the versions: update them together, or go back to those of the last lock that worked. If they fit: look what your last line in the traceback hands over.",
        ),
        lines=("AttributeError: 'Connection' object has no attribute '_Connection__transaction'",),
        also=("has no attribute '{name}'", "can't set attribute"),
        when=lambda seen: _inside(seen) and bool(LIBRARYS.match(seen.reading.reason)),
        prevent="A lock file, and updates one at a time with the tests run.",
        chapter=13,
        commands=("upgrade", "python"),
        source="https://github.com/sqlalchemy/alembic/issues/782",
    ),
    Entry(
        id="P05",
        mistake=Mistake(
            "what SQLAlchemy 2.0 has taken away",
            "The code calls something as SQLAlchemy 1.x had it: a list in select(), metadata bound to an"
            " engine, autoload=True, an engine that is asked for table names.",
            "select(table.c.id, table.c.name) without the list; engine or connection handed over in each"
            " call; autoload_with=engine; sa.inspect(engine).get_table_names(). Or SQLAlchemy < 2.",
        ),
        lines=(
            "sqlalchemy.exc.ArgumentError: Column expression, FROM clause, or other columns clause element"
            " expected, got [",
        ),
        also=(
            "Column expression or FROM clause expected, got [",
            "MetaData.__init__() got an unexpected keyword argument 'bind'",
            "'Engine' object has no attribute 'table_names'",
            "'Engine' object has no attribute 'has_table'",
            "'Engine' object has no attribute 'scalar'",
            "'MetaData' object has no attribute 'bind'",
            "got an unexpected keyword argument 'whereclause'",
            "Additional arguments should be named <dialectname>_<argument>, got 'autoload'",
            'The "whens" argument to case(), when referring to a sequence of items, is now passed',
            "Neither 'Engine' object nor 'Comparator' object has an attribute",
        ),
        prevent="Read the 2.0 migration guide of SQLAlchemy; SQLALCHEMY_WARN_20=1 under 1.4 lists them.",
        chapter=1,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P05b",
        mistake=Mistake(
            "a SQLAlchemy that is older than the code",
            "select() was called with columns one by one, as newer versions have it, and the SQLAlchemy"
            " that is installed (1.3 or older) wants a list.",
            "Update SQLAlchemy, or write select([...]) for this one.",
        ),
        lines=("columns argument to select() must be a Python list or other iterable",),
        prevent="Say in the project's dependencies which SQLAlchemy it needs.",
        chapter=1,
        commands=("python",),
        source="https://github.com/uriyyo/fastapi-pagination/issues/964",
    ),
    Entry(
        id="P06",
        mistake=Mistake(
            "an argument that a column or a constraint does not take",
            "SQLAlchemy knows no argument of this name here: it is misspelt, belongs to another function,"
            " or comes from another version. Arguments for one database begin with its name.",
            "Compare the call with the documentation of the installed version, such as"
            " postgresql_where= in Index, server_default= in Column.",
        ),
        lines=(
            "TypeError: Additional arguments should be named <dialectname>_<argument>, got '{argument}'",
        ),
        also=("Invalid argument(s) {arguments} sent to create_engine()",),
        when=lambda seen: seen.name("argument") != "autoload",
        prevent="A type checker sees it.",
        chapter=1,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="P06b",
        mistake=Mistake(
            "an argument that a function does not take",
            "The function or class has no argument of this name. Most often the code was written for another"
            " version of the library; it can also be a slip.",
            "The last line of yours in the traceback is the call. Compare it with the documentation of"
            " the version that python -m pip show gives.",
        ),
        lines=("TypeError: {function} got an unexpected keyword argument '{argument}'",),
        when=lambda seen: None,
        prevent="A lock file, and a type checker.",
        chapter=13,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="P07",
        mistake=Mistake(
            "a setting that is not there",
            "The program asked the environment, or its own configuration, for a name, and there is none where the command ran. Most often .env was not read, or a container or a job does not hand the variable on.",
            "Set it there: export, environment: or env_file: in compose, the secrets of the pipeline.",
        ),
        lines=("KeyError: '{variable}'",),
        when=lambda seen: bool(
            re.search(
                r"URL|URI|HOST|PORT|USER|PASS|SECRET|TOKEN|DATABASE|DB_|_DB|POSTGRES",
                seen.name("variable"),
            )
            or re.search(r"os\.environ|<frozen os>|/os\.py", seen.reading.text)
        ),
        prevent="Let the program list what is missing when it starts.",
        chapter=13,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P07b",
        mistake=Mistake(
            "settings that are missing or wrong",
            "pydantic read the program's settings and refused them: below the first line it names each field"
            " and what is wrong with it. Most often .env was not found, since its path is counted from"
            " where the command runs; it can also hold a name that the class does not know.",
            "Run the command where .env is, or set the variables. extra='ignore' lets unknown ones pass.",
        ),
        lines=("pydantic_core._pydantic_core.ValidationError: {number} validation error",),
        also=("pydantic.error_wrappers.ValidationError: {number} validation error",),
        when=lambda seen: (
            True if re.search("settings|config", seen.reading.block, re.IGNORECASE) else None
        ),
        prevent="An absolute path to .env, made from __file__.",
        chapter=13,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P08",
        mistake=Mistake(
            "no settings for logging in alembic.ini",
            "env.py calls fileConfig with alembic.ini, and the file has no sections for it (formatters,"
            " handlers, loggers): they were deleted, or the file that was read is another one.",
            "Bring the sections back from a fresh alembic init, or take the fileConfig lines out of env.py.",
        ),
        lines=("KeyError: 'formatters'",),
        also=("KeyError: 'loggers'", "KeyError: 'handlers'"),
        prevent="Compare alembic.ini with a fresh one.",
        chapter=2,
        commands=("upgrade", "revision"),
    ),
    Entry(
        id="P18",
        mistake=Mistake(
            "no address in the settings",
            "engine_from_config looks for sqlalchemy.url (or the prefix that it was given, and url) in the"
            " settings, and it is not there. Most often the line in alembic.ini was deleted or is in"
            " another section, and env.py does not set it either.",
            "Write sqlalchemy.url into [alembic], or let env.py set it before the engine is made:"
            ' config.set_main_option("sqlalchemy.url", url.replace("%", "%%")).',
        ),
        lines=("KeyError: 'url'",),
        when=lambda seen: "engine_from_config" in seen.reading.text,
        prevent="Let env.py make the engine itself from the variable.",
        chapter=2,
        commands=("upgrade", "current"),
    ),
    Entry(
        id="P09",
        mistake=Mistake(
            "an application that Flask-Migrate does not know",
            "flask db works on an application that Migrate(app, db) was called for, and the one that flask"
            " has found is none: it could not be imported, another file was found, or the call is in a"
            " branch that did not run.",
            "Migrate(app, db) in the factory, or migrate.init_app(app, db); FLASK_APP or --app names the"
            " module. Any error of its import stands above: flask routes shows it, too.",
        ),
        lines=("Error: No such command 'db'.",),
        also=(
            'No such command "db"',
            "KeyError: 'migrate'",
            "The sqlalchemy extension was not registered",
            "is not registered with this 'SQLAlchemy' instance",
            "Could not locate a Flask application",
        ),
        prevent="One factory that makes the application and its extensions.",
        source="https://github.com/miguelgrinberg/Flask-Migrate/issues/529",
        chapter=2,
        commands=("python",),
    ),
    Entry(
        id="P10",
        mistake=Mistake(
            "outside of an application context",
            "Flask's extensions find the application through a context, and none is open here: the code ran"
            " at import, in a thread, or in a script of its own.",
            "with app.app_context(): around it. In a migration or env.py: start it with flask db, not"
            " with alembic.",
        ),
        lines=("RuntimeError: Working outside of application context.",),
        also=("working outside of application context", "No application found. Either work inside"),
        prevent="No database work when a module is imported.",
        chapter=13,
        commands=("python",),
        source="https://github.com/miguelgrinberg/Flask-Migrate/issues/107",
    ),
    Entry(
        id="P11",
        mistake=Mistake(
            "a loop within a loop",
            "asyncio.run() begins a loop of its own, and this thread has one that runs: a notebook, a test"
            " of pytest-asyncio, or an application that calls alembic.command at its start.",
            "Run alembic in a process of its own; or hand its connection to env.py with run_sync, as"
            " Alembic's cookbook has it; or asyncio.to_thread(command.upgrade, config, 'head').",
        ),
        lines=("RuntimeError: asyncio.run() cannot be called from a running event loop",),
        also=("This event loop is already running", "Cannot run the event loop while another loop"),
        prevent="Migrations run before the application, and not in it.",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="P11b",
        mistake=Mistake(
            "a connection of another loop",
            "A connection of asyncio belongs to the loop that opened it, and it was used in another one, or"
            " after its loop had ended: most often a pool that several tests share.",
            "NullPool for tests, or an engine for each loop, with await engine.dispose() at its end.",
        ),
        lines=("attached to a different loop",),
        prevent="Make engines where the loop runs.",
        source="https://github.com/pytest-dev/pytest-asyncio/issues/402",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="P12",
        mistake=Mistake(
            "a field that SQLModel has no column for",
            "SQLModel chooses the column by the annotation, and for this type it knows none: a dict, a list,"
            " a model, or a Union.",
            "Field(sa_column=Column(JSON)) or sa_type=JSON; for other rows a Relationship.",
        ),
        lines=("ValueError: {type} has no matching SQLAlchemy type",),
        prevent="Say the column's type where it is no plain one.",
        chapter=1,
        commands=("python",),
        source="https://github.com/learnhouse/learnhouse/issues/479",
    ),
    Entry(
        id="P13",
        mistake=Mistake(
            "a type that this database does not have",
            "The models or a revision use a type of one system, and the dialect of another was to write it:"
            " most often PostgreSQL's JSONB, ARRAY or UUID with SQLite in tests.",
            "sa.JSON().with_variant(JSONB, 'postgresql'), sa.Uuid, or tests on the system that"
            " production has.",
        ),
        lines=("sqlalchemy.exc.CompileError: (in table '{table}', column '{column}'): Compiler",),
        also=("can't render element of type {type}",),
        when=lambda seen: bool(re.search(r"render element of type\s+[A-Z]", seen.reading.block)),
        prevent="Develop and test on the system that production has.",
        chapter=8,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="P14",
        mistake=Mistake(
            "a table to read that is not there",
            "SQLAlchemy was to read a table from the database (autoload_with, reflect, batch mode), and"
            " there is none of this name in the schema that it looked into.",
            "sa.inspect(connection).get_table_names() lists those that are there; name the schema with"
            " schema=.",
        ),
        lines=("NoSuchTableError: {table}",),
        also=("Could not reflect: requested table(s) not available",),
        prevent="Describe tables in a revision with sa.table, and read none.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P15",
        mistake=Mistake(
            "a transaction that was ended inside its block",
            "with engine.begin() (or Alembic's own) ends its transaction by itself; commit or rollback was"
            " called within, and a statement came after it.",
            "Take the commit out, or use engine.connect() and commit yourself. In a revision: neither.",
        ),
        lines=(
            "sqlalchemy.exc.InvalidRequestError: Can't operate on closed transaction inside context manager.",
        ),
        prevent="One of the two: a block that commits, or commit.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P15b",
        mistake=Mistake(
            "a transaction that is open already",
            "begin() was called where a transaction is under way. In SQLAlchemy 2.0 the first statement of a"
            " connection or a session opens one by itself.",
            "Call begin() before the first statement, or leave it out and end with commit(); begin_nested()"
            " makes a savepoint within.",
        ),
        lines=(
            "sqlalchemy.exc.InvalidRequestError: This connection has already initialized a SQLAlchemy"
            " Transaction() object via begin() or autobegin",
        ),
        also=("A transaction is already begun on this",),
        prevent="with engine.begin() as connection: around all of it.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P15c",
        mistake=Mistake(
            "a connection that was closed before",
            "The connection was closed, mostly by the end of its with block, and then used.",
            "Move the statement into the block, or open another connection.",
        ),
        lines=("sqlalchemy.exc.ResourceClosedError: This Connection is closed",),
        prevent="Hand the engine on, and connect where the work is.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P16",
        mistake=Mistake(
            "rows asked of a statement that has none",
            "Only SELECT and RETURNING give rows, and this statement was neither, or its result was read"
            " before and is closed.",
            "RETURNING in the statement, .rowcount for a number, or .all() once and the list afterwards.",
        ),
        lines=("sqlalchemy.exc.ResourceClosedError: This result object does not return rows.",),
        prevent="Keep what you read in a list.",
        chapter=7,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="P19",
        mistake=Mistake(
            "settings that cannot be decoded",
            "The ini file holds bytes that the encoding it is read with does not have. Alembic reads it in"
            " the machine's own encoding, so a letter or a dash from UTF-8 stops it on some machines only.",
            "Keep alembic.ini in ASCII: most often it is a comment. The message gives the position.",
        ),
        lines=("UnicodeDecodeError: '{codec}' codec can't decode byte",),
        when=lambda seen: "configparser.py" in squeezed(seen.reading.text),
        prevent="A test that alembic.ini is ASCII.",
        chapter=13,
        commands=("upgrade", "current"),
    ),
    Entry(
        id="P17",
        mistake=Mistake(
            "greenlet is not installed",
            "SQLAlchemy's asyncio extension needs the package greenlet, which it brings along on some"
            " machines only, and from 2.1 on only when asked for.",
            "python -m pip install 'sqlalchemy[asyncio]'.",
        ),
        lines=("ValueError: the greenlet library is required to use this function.",),
        also=("No module named 'greenlet'",),
        prevent="sqlalchemy[asyncio] among the project's dependencies.",
        source="https://github.com/python-poetry/poetry/issues/7249",
        chapter=13,
        commands=("python", "upgrade"),
    ),
)
