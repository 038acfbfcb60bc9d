"""Mistakes in the set-up of a project and on the way to its database."""

import re
from collections.abc import Iterable

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen, shared
from workbook.reading import squeezed

OWN = ("app", "src", "api", "backend", "server", "core", "models", "db", "database")
DRIVERS = ("psycopg2", "MySQLdb", "pymysql", "aiosqlite", "aiomysql", "pyodbc", "pg8000")


def _role(seen: Seen) -> Iterable[str]:
    query = "SELECT current_user, n.nspname, pg_get_userbyid(n.nspowner) FROM pg_namespace n"
    for role, schema, owner in (
        seen.site.ask(f"{query} WHERE nspname = 'public'") if seen.site else ()
    ):
        yield f"You are {role}, and the schema {schema} belongs to {owner}."


ENTRIES = (
    Entry(
        id="A01",
        mistake=Mistake(
            "no settings for Alembic",
            "Alembic found no script_location: where it looked (in the folder where the command ran, or at the path that -c names) there is no alembic.ini, and no [tool.alembic] in a pyproject.toml, or the section has another name. Most often the command runs in another folder; in a container or a package the file may not have been copied.",
            "Go to the project's folder, or say where the file is: alembic -c path/alembic.ini, or the variable ALEMBIC_CONFIG. If -c names it already: see whether it is there. An image or a wheel needs alembic.ini and the folder with env.py copied in.",
        ),
        lines=("FAILED: No 'script_location' key found in configuration",),
        also=("No config file 'alembic.ini' found",),
        prevent="Let scripts change to the project's folder first, or name the file.",
        chapter=2,
        commands=("upgrade", "current", "history"),
    ),
    Entry(
        id="A02",
        mistake=Mistake(
            "an address that nobody has filled in",
            "alembic.ini still has the template's address, and there is no such system as driver.",
            "Set sqlalchemy.url in alembic.ini, or hand the address over in env.py.",
        ),
        lines=("sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:driver",),
        prevent="Fill the address in right after alembic init.",
        chapter=2,
    ),
    Entry(
        id="A02b",
        mistake=Mistake(
            "a dialect that SQLAlchemy does not find",
            "The address begins with the name of a system or a driver for which no dialect is installed:"
            " most often it is misspelt, or its package (as for redshift or snowflake) is missing.",
            "Compare what stands before :// with the list in SQLAlchemy's documentation, and install the"
            " package that brings the dialect.",
        ),
        lines=(
            "sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:{dialect}",
        ),
        when=lambda seen: (
            not re.search(r"dialects:\s*(?:driver|postgres)\s*$", seen.reading.block, re.MULTILINE)
        ),
        prevent="List the dialect's package among the project's dependencies.",
        chapter=2,
    ),
    Entry(
        id="A03",
        mistake=shared("a bare postgresql:// means another driver", "2.1"),
        lines=("ModuleNotFoundError: No module named 'psycopg'",),
        cure="Write postgresql+psycopg2:// for psycopg2, or install psycopg[binary] and write"
        " postgresql+psycopg://.",
        when=lambda seen: None,
        tell="Does the address say postgresql:// and no driver? SQLAlchemy 2.1 takes psycopg 3 then, and older ones psycopg2.",
        prevent="Name the driver in each address.",
        chapter=2,
    ),
    Entry(
        id="A03b",
        mistake=Mistake(
            "the driver is not installed",
            "The address names a system or a driver, and Python has no package of that name in the environment that ran the command.",
            "Install the driver into that environment, such as psycopg2-binary for postgresql+psycopg2://, or name one in the address that is there. Where it is installed: another Python ran.",
        ),
        lines=(
            "ModuleNotFoundError: No module named 'asyncpg'",
            "ModuleNotFoundError: No module named 'psycopg'",
        ),
        also=("No module named MySQLdb", *(f"No module named '{each}'" for each in DRIVERS)),
        prevent="List the driver among the project's dependencies.",
        chapter=2,
    ),
    Entry(
        id="A03c",
        mistake=Mistake(
            "the driver does not find libpq",
            "psycopg and psycopg2 speak to the server through PostgreSQL's client library, and it is not on"
            " this machine, or is for another kind of processor.",
            "Install a driver that brings it along (psycopg[binary], psycopg2-binary), or the library:"
            " libpq5 on Debian, postgresql-libs on Alpine and Fedora, libpq with Homebrew.",
        ),
        lines=("ImportError: no pq wrapper available.",),
        also=(
            "libpq.so.5: cannot open shared object file",
            "Library not loaded: @rpath/libpq",
            "pg_config executable not found",
            "libpq library not found",
        ),
        prevent="psycopg[binary] in development; the library in the image for production.",
        source="https://github.com/psycopg/psycopg/issues/897",
        chapter=13,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="A03d",
        mistake=Mistake(
            "the shell does not find Alembic",
            "No folder in PATH has the command. Most often the environment that Alembic is installed in is"
            " not active here, or it is not installed at all.",
            "Activate the environment, or run it by its Python: .venv/bin/python -m alembic upgrade head,"
            " uv run alembic, poetry run alembic.",
        ),
        lines=("[Errno 2] No such file or directory: 'alembic'",),
        also=(
            "alembic: command not found",
            "alembic: not found",
            "command not found: alembic",
            "'alembic' is not recognized as",
            '"alembic": executable file not found',
        ),
        prevent="python -m alembic in scripts: it takes the environment of that Python.",
        source="https://github.com/Kaoruha/GinkGO/issues/4825",
        chapter=2,
        commands=("upgrade", "current"),
    ),
    Entry(
        id="A04",
        mistake=shared("an old name", "2.1"),
        lines=(
            "sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres",
        ),
        when=lambda seen: "dialects:postgres." not in seen.reading.block,
        cure="Write postgresql+psycopg2:// where the address says postgres://.",
        prevent="Where a platform hands such an address out, replace its beginning in env.py.",
        chapter=2,
    ),
    Entry(
        id="A05",
        mistake=Mistake(
            "a percent sign in alembic.ini",
            "An ini file takes % for the start of a placeholder, and a password that was escaped for"
            " an address is full of them.",
            "Double it in alembic.ini: %%40 for %40. Or keep the address out of the file.",
        ),
        lines=(
            "configparser.InterpolationSyntaxError: '%' must be followed by '%' or '(', found: …@",
        ),
        also=("'%' must be followed by '%' or '(', found:",),
        prevent="Read the address from a variable of the environment in env.py.",
        chapter=13,
    ),
    Entry(
        id="A05b",
        mistake=Mistake(
            "a placeholder in alembic.ini that nothing fills",
            "An ini file takes %(name)s for a value of its own, and it has none of this name. Variables of"
            " the environment do not count.",
            "Read the variable in env.py: config.set_main_option, or hand the address to create_engine.",
        ),
        lines=(
            "configparser.InterpolationMissingOptionError: Bad value substitution: option '{option}' in"
            " section 'alembic' contains an interpolation key '{key}' which is not a valid option name.",
        ),
        prevent="Let env.py make the engine itself from the variable.",
        chapter=13,
    ),
    Entry(
        id="A06",
        mistake=Mistake(
            "a percent sign handed to set_main_option",
            "config.set_main_option writes into the ini file's settings, where % begins a placeholder."
            " This error prints the whole address, with its password: mind the log.",
            'Double the sign on the way: url.replace("%", "%%"). Or hand the address to'
            " create_engine in env.py, and not to the config.",
        ),
        lines=("ValueError: invalid interpolation syntax in '",),
        prevent="Let env.py make the engine itself from the variable.",
        chapter=13,
    ),
    Entry(
        id="A07",
        mistake=Mistake(
            "an address cut at the wrong sign",
            "A sign such as @ or / in a password ends the password there, and what follows is taken"
            " for the host.",
            "Escape it (%40 for @, quote_plus from urllib.parse), or build the address with"
            " sqlalchemy.URL.create.",
        ),
        lines=('could not translate host name "{host}" to address:',),
        when=lambda seen: "@" in seen.name("host") or None,
        tell="The name has an @ in it, or looks like the end of a password.",
        prevent="Build addresses with URL.create, not with an f-string.",
        chapter=13,
    ),
    Entry(
        id="A07b",
        mistake=Mistake(
            "a host that nobody knows",
            "The address names a host, and no name server here knows it. In containers the host is"
            " the service's name, and only within their network; outside it is localhost.",
            "Compare the host with the one where the database runs, seen from where this runs.",
        ),
        lines=('could not translate host name "{host}" to address:',),
        also=(
            "getaddrinfo failed",
            "[Errno -2] Name or service not known",
            "Temporary failure in name resolution",
            "Unknown MySQL server host",
            "Can't connect to MySQL server on '{host}' ([Errno -2] Name or service not known)",
            "nodename nor servname provided",
            "No address associated with hostname",
        ),
        when=lambda seen: "@" not in seen.name("host"),
        prevent="Let one variable hold the address, and set it for each place.",
        chapter=13,
    ),
    Entry(
        id="A08",
        mistake=Mistake(
            "a password that became three stars",
            "str() of a SQLAlchemy URL hides the password: *** was sent to the server. It escapes"
            " the rest, too.",
            'url.render_as_string(hide_password=False) gives all of it, with .replace("%", "%%")'
            " where it goes into the config.",
        ),
        lines=('password authentication failed for user "{role}"',),
        also=("password authentication failed for user",),
        when=lambda seen: None,
        tell="Somebody calls str(engine.url) or str(url) in env.py.",
        prevent="Hand the engine or the URL object on, not its text.",
        chapter=13,
    ),
    Entry(
        id="A08b",
        mistake=Mistake(
            "a password that the server refuses",
            "The server answers and knows another password for this role, or does not know the role.",
            "Compare role and password in the address with those that the server was set up with: a"
            " container keeps the first password that its volume was made with.",
        ),
        lines=('password authentication failed for user "{role}"',),
        also=(
            "password authentication failed for user",
            "Access denied for user '{role}'@",
            "InvalidPasswordError:",
        ),
        when=lambda seen: "to database" not in seen.reading.block,
        prevent="Keep the password in one place, and read it from there.",
        chapter=13,
    ),
    Entry(
        id="A08c",
        mistake=Mistake(
            "the system's user is not the role",
            "The server lets a user of this machine in as the role of the same name, without a password, and the address names another role.",
            "Name your own role, or connect over TCP with a password: a host in the address.",
        ),
        lines=('Peer authentication failed for user "{role}"',),
        prevent="Let the address name host, role and database.",
        chapter=13,
    ),
    Entry(
        id="A08d",
        mistake=Mistake(
            "no password was handed over",
            "The server asks for a password and the address has none. Most often the variable that holds"
            " it is empty where the command runs, or .env was not read.",
            "Put the password into the address or into PGPASSWORD, and look what env.py really gets.",
        ),
        lines=("fe_sendauth: no password supplied",),
        prevent='os.environ["..."] stops at once when a variable is missing.',
        chapter=13,
    ),
    Entry(
        id="A08e",
        mistake=Mistake(
            "the server does not let this connection in",
            "pg_hba.conf has no line for this host, role and database, with or without SSL as the message"
            " says; or one side demands SSL and the other has none.",
            "Where the message says no encryption or SSL off: sslmode=require in the address. Else let the"
            " server's administrator add a line, or come from an address that has one.",
        ),
        lines=('FATAL:  no pg_hba.conf entry for host "{host}"',),
        also=("server does not support SSL, but SSL was required", "SSL connection is required"),
        prevent="Write sslmode into the address, as the server wants it.",
        chapter=13,
    ),
    Entry(
        id="A09",
        mistake=Mistake(
            "a database that is not there",
            "The server answers and has no database of this name. Alembic makes tables, not databases.",
            "Make it once, with CREATE DATABASE or createdb, or put the name right in the address.",
        ),
        lines=('FATAL:  database "{database}" does not exist',),
        also=('database "{database}" does not exist', "Unknown database '{database}'"),
        prevent="Let set-up make the database, and migrations the tables.",
        chapter=2,
    ),
    Entry(
        id="A09b",
        mistake=Mistake(
            "nobody listens there",
            "Nothing answers at this host and port: the server is not running, listens elsewhere, or"
            " is still starting.",
            "Start it, and compare host and port with where it listens. In a container, localhost is"
            " the container itself.",
        ),
        lines=('connection to server at "{host}"…failed: Connection refused',),
        also=(
            "could not connect to server: Connection refused",
            "Connection refused…Is the server running on",
            "] Connection refused",
            "] Connect call failed",
            "refused the network connection",
            "actively refused it",
            "[Errno 111] Connect call failed",
            "Can't connect to MySQL server on",
            "Can't connect to local MySQL server",
            "Is the server running locally and accepting connections on that socket?",
            "Is the server running locally and accepting",
        ),
        when=lambda seen: (
            False if re.search("not known|resolution|getaddrinfo", seen.reading.block) else None
        ),
        prevent="Let the deploy wait until the server answers (pg_isready), then migrate.",
        chapter=13,
    ),
    Entry(
        id="A09e",
        mistake=Mistake(
            "no answer from the server",
            "Nothing came back from this host in time. Most often a firewall or a security group throws the"
            " packets away, or the host's address is not to be reached from this network.",
            "Try host and port from the machine that runs the command (pg_isready -h ... -p ...), and open"
            " the way: the firewall, the security group, a VPN.",
        ),
        lines=("connection timeout expired",),
        also=(
            "Connection timed out",
            "timeout expired",
            "No route to host",
            "Network is unreachable",
            "Operation timed out",
        ),
        prevent="connect_timeout in the address, so that it is said early.",
        chapter=13,
    ),
    Entry(
        id="A09c",
        mistake=Mistake(
            "a server that is still starting",
            "The server runs and does not take connections now: it is starting, being shut down, or it"
            " repairs itself after a crash (in recovery mode).",
            "Wait until pg_isready says that it accepts connections, then run the command again.",
        ),
        lines=("FATAL:  the database system is starting up",),
        also=("the database system is shutting down", "the database system is in recovery mode"),
        prevent="Let the deploy wait for the server: depends_on with service_healthy in compose.",
        chapter=13,
    ),
    Entry(
        id="A09d",
        mistake=Mistake(
            "a role that is not there",
            "The server has no role of this name. Without one in the address, libpq takes the name of"
            " the system's user.",
            "Name the role in the address or in PGUSER, or make it with CREATE ROLE.",
        ),
        lines=('role "{role}" does not exist',),
        prevent="Name role and database in the address, and leave nothing to libpq's guesses.",
        chapter=13,
    ),
    Entry(
        id="A10",
        mistake=Mistake(
            "init a second time",
            "alembic init makes the environment once, in a folder that is empty or new.",
            "Go on with the folder that is there, or give another name: alembic init migrations.",
        ),
        lines=("FAILED: Directory {folder} already exists and is not empty",),
        prevent="Look for alembic.ini before you run init.",
        chapter=2,
        commands=("init",),
    ),
    Entry(
        id="A11b",
        mistake=Mistake(
            "a module that Python does not find",
            "The environment that ran the command has no module of this name: most often its package is"
            " not installed there, or another Python ran. It can also be your own, from a folder that"
            " is not in sys.path, or a name that newer versions no longer have.",
            "Install the package into the environment that runs the command (python -m pip show tells"
            " whether it is there). For a module of your own: prepend_sys_path in alembic.ini.",
        ),
        lines=("ModuleNotFoundError: No module named '{module}'",),
        also=("ImportError: No module named",),
        when=lambda seen: False if _driver(seen) else None,
        prevent="A lock file, and one environment that runs application and migrations.",
        chapter=6,
        commands=("upgrade", "revision --autogenerate"),
    ),
    Entry(
        id="A11",
        mistake=Mistake(
            "env.py does not find the models",
            "Python imports from the folders in sys.path, and the project's is not among them. prepend_sys_path in alembic.ini is counted from where the command runs, not from the file.",
            "Run alembic in the project's folder, or write prepend_sys_path = %(here)s. A package needs its own name in the import, too.",
        ),
        lines=("ModuleNotFoundError: No module named '{module}'",),
        when=lambda seen: _own_module(seen),
        tell="Is it the project's own? Its folder has to be in sys.path: prepend_sys_path = %(here)s.",
        prevent="prepend_sys_path = %(here)s, or a project that is installed.",
        chapter=6,
        commands=("upgrade", "revision --autogenerate", "current"),
    ),
    Entry(
        id="A12",
        mistake=Mistake(
            "a folder or a file that hides Alembic",
            "The project's own folder alembic (with an __init__.py) or file alembic.py is imported in place of the library.",
            "Delete __init__.py from the folder, or call the folder migrations.",
        ),
        lines=("ImportError: cannot import name 'command' from 'alembic' (…__init__.py)",),
        also=(
            "cannot import name '{name}' from 'alembic' (",
            "No module named 'alembic.config'",
            "No module named 'alembic.command'",
        ),
        when=lambda seen: _hidden(seen),
        prevent="No __init__.py in Alembic's folder.",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="A13",
        mistake=Mistake(
            "run without Alembic",
            "op and context are empty until the alembic command has filled them. Something imported or ran a revision or env.py by itself: Python, a test collector, a documentation tool.",
            "Run alembic upgrade, or alembic.command.upgrade from Python, and keep other tools out of the folder.",
        ),
        lines=(
            "AttributeError: module 'alembic.context' has no attribute 'config'",
            "NameError: Can't invoke function '{function}', as the proxy object has not yet been"
            " established for the Alembic '{proxy}' class",
        ),
        prevent="Never run a revision file; alembic upgrade --sql shows what it would do.",
        chapter=2,
        commands=("python",),
    ),
    Entry(
        id="A14",
        mistake=Mistake(
            "an ini file from before 1.16",
            "Since 1.16 alembic.ini says how several paths in it are separated; this one does not, and"
            " the old way of splitting is used. Nothing has failed.",
            "Write path_separator = os into [alembic].",
        ),
        lines=(
            "DeprecationWarning: No path_separator found in configuration; falling back to legacy splitting",
        ),
        prevent="Compare alembic.ini with a fresh one after an update of Alembic.",
        chapter=13,
    ),
    Entry(
        id="A15",
        mistake=Mistake(
            "a role that may not",
            "PostgreSQL knows who is asking, and this role has no right to do it. Tables belong to the"
            " role that made them; since PostgreSQL 15 not everybody may create in public.",
            "Migrate as the role that owns the schema and its tables, or let the owner grant the right.",
        ),
        lines=(
            "(psycopg2.errors.InsufficientPrivilege) permission denied for schema {schema}",
            "(psycopg2.errors.InsufficientPrivilege) permission denied for table {table}",
        ),
        also=("permission denied for", "must be owner of", "permission denied to"),
        kinds=("InsufficientPrivilege",),
        prevent="One role that migrates and owns, another for the application, and"
        " ALTER DEFAULT PRIVILEGES for what will be made.",
        chapter=13,
        look=_role,
    ),
    Entry(
        id="F04",
        mistake=Mistake(
            "an address that cannot be read",
            "SQLAlchemy was handed something that is no address. Most often the variable is empty or not set; it can also be quotes or the variable's own name that came along, or a sign in the password that is not escaped.",
            "Look what env.py really gets (not on a screen that others see), and write it as system+driver://role:password@host:port/database.",
        ),
        lines=(
            "sqlalchemy.exc.ArgumentError: Could not parse SQLAlchemy URL from given URL string",
        ),
        also=(
            "Could not parse SQLAlchemy URL from string",
            "Could not parse rfc1738 URL from string",
            "Expected string or URL object, got None",
        ),
        prevent='os.environ["DATABASE_URL"] stops at once, and says which one is missing.',
        chapter=13,
    ),
    Entry(
        id="F04b",
        mistake=Mistake(
            "an address whose port is no number",
            "What stands after the host's colon is to be a number. Most often the variable for the port is"
            " not set and None was written in its place; it can also be a sign in the password that ends"
            " it too early.",
            "Set the variable, or leave port and colon out; escape the password with quote_plus, or build"
            " the address with sqlalchemy.URL.create.",
        ),
        lines=("ValueError: invalid literal for int() with base 10: '{port}'",),
        when=lambda seen: bool(re.search(r"make_url|engine[/\\\\]url\.py", seen.reading.text)),
        prevent="Build addresses with URL.create, not with an f-string.",
        chapter=13,
    ),
)


def _driver(seen: Seen) -> bool:
    return seen.name("module") in (*DRIVERS, "psycopg", "asyncpg")


def _hidden(seen: Seen) -> bool:
    """Whether the alembic that was imported is not the library."""
    text = seen.reading.text
    return bool(
        re.search(r"is not a package|from 'alembic'\s*\((?!.*-packages)", text)
        and not re.search("partially initialized", text)
    )


def _own_module(seen: Seen) -> bool | None:
    """Whether the module that is missing is the project's: it is in its folder, or called like it."""
    name = seen.name("module").partition(".")[0]
    place = seen.reading.place
    if seen.site and (
        (seen.site.folder / name).is_dir() or (seen.site.folder / f"{name}.py").exists()
    ):
        return True
    if place and place.file.endswith("env.py") and name in OWN:
        return True
    if _driver(seen) or name in DRIVERS:
        return False
    return None if not place or "env.py" in squeezed(seen.reading.text) else False
