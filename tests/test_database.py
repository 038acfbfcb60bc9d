"""Whatever variables are left over from other work, nobody else's server is touched.

Each attack runs against a second real server that stands in for the one at work.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
import pytest

from workbook import ROOT
from workbook.server import database, postgres

if sys.platform != "linux":
    pytest.skip("only Linux has more than one loopback address", allow_module_level=True)


class Server(NamedTuple):
    """Somebody else's server, which lets everybody in."""

    sockets: str
    address: str  # a loopback address of its own: there, the port is the embedded server's

    def rows(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(host=self.sockets, user="postgres", dbname=database)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    def state(self) -> list[list[tuple[Any, ...]]]:
        """Everything that a stranger could change: databases, marks, roles, tables, rows."""
        databases = "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
        tables = "SELECT oid, relnamespace::regnamespace::text, relname FROM pg_class"
        return [
            self.rows(f"{databases} ORDER BY 1"),
            self.rows("SELECT rolname FROM pg_roles ORDER BY 1"),
            self.rows(f"{tables} ORDER BY 1", "jobboard"),
            self.rows("SELECT name FROM companies", "jobboard"),
        ]


@pytest.fixture(scope="module")
def work() -> Iterator[Server]:
    """The server at work: its database happens to have the name of ours, and rows in it."""
    folder = Path(tempfile.mkdtemp(prefix="work-", dir="/tmp"))
    home = postgres.cluster_home(folder)
    work = Server(str(home / "run"), f"127.{random.randint(2, 250)}.{random.randint(2, 250)}.7")
    try:
        postgres.start(folder)
        postgres.stop(folder)
        [data] = home.glob("[0-9]*")
        (data / "postgresql.conf").write_text(
            f"listen_addresses = '{work.address}'\nunix_socket_directories = '{work.sockets}'\n"
        )
        (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.0/8 trust\n")
        (home / "run").chmod(0o700)
        assert postgres._run(home, data, "pg_ctl", "start", "-w")
        work.rows("CREATE DATABASE jobboard OWNER learner")
        work.rows("CREATE TABLE companies AS SELECT 'of work' AS name", "jobboard")
        work.rows(
            "ALTER TABLE companies OWNER TO learner; ALTER SCHEMA public OWNER TO learner",
            "jobboard",
        )
        yield work
    finally:
        postgres.stop(folder)
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


class Workbook(NamedTuple):
    """A workbook with the embedded server, and the home of the user that it belongs to."""

    folder: Path

    def run(self, code: str, *, fails: str = "", **variables: str) -> str:
        """What the code prints, in a Python that inherits these variables and no others."""
        ours = ("PG", "WORKBOOK", "DATABASE_URL", "PYTEST")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        kept |= {"HOME": str(self.folder), "WORKBOOK_HOME": str(self.folder)} | variables
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert (done.returncode != 0) == bool(fails), done.stderr
        assert fails in done.stderr, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def workbook(work: Server) -> Iterator[Workbook]:
    folder = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))
    service = f"[work]\nhost={work.sockets}\nuser=learner\ndbname=jobboard\n"
    (folder / ".pg_service.conf").write_text(service)
    (folder / "pg_service.conf").write_text(service)
    try:
        yield Workbook(folder)
    finally:
        postgres.stop(folder / ".postgres")
        shutil.rmtree(postgres.cluster_home(folder / ".postgres"), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def untouched(work: Server) -> Iterator[None]:
    before = work.state()
    yield
    assert work.state() == before


LEFT_OVER = {
    "a service in the home": {"PGSERVICE": "work"},
    "a service in a file": {"PGSERVICE": "work", "PGSERVICEFILE": "{folder}/pg_service.conf"},
    "a service of the system": {"PGSERVICE": "work", "PGSYSCONFDIR": "{folder}", "HOME": "/"},
    "a host's address": {"PGHOSTADDR": "{address}"},
    "one of ours": {"PGSERVICE": "work", "WORKBOOK_EMBEDDED": "1"},
    "two of ours": {"PGHOST": "{sockets}", "PGPORT": "5432", "WORKBOOK_EMBEDDED": "{sockets}:5432"},
    "what keeps from ours": {
        "PGTARGETSESSIONATTRS": "standby",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGREQUIREPEER": "nobody_at_all",
        "PGCHANNELBINDING": "require",
        "PGSSLMODE": "verify-full",
        "PGGSSENCMODE": "require",
        "PGMINPROTOCOLVERSION": "3.2",
        "PGLOADBALANCEHOSTS": "nonsense",
        "PGCONNECT_TIMEOUT": "nonsense",
        "PGCLIENTENCODING": "SQL_ASCII",
        "PGPASSFILE": "/nowhere",
        "PGPASSWORD": "of work",
        "PGOPTIONS": "-c search_path=app -c default_transaction_read_only=on -c role=postgres",
    },
}
ALL = {"PGSERVICEFILE": "{folder}/pg_service.conf"}
for each in LEFT_OVER.values():
    ALL |= each
LESSON = "from workbook.starts import *; start(4); reset()"
SEPARATE = """from workbook.server.database import *
connect_environment()
with separate('jobboard', home()): connect_environment()"""
THROWAWAY = """from workbook.server.database import *
with throwaway():
    drop('jobboard')
    connect_environment()"""
ALEMBIC = """import subprocess, sys
subprocess.run([sys.executable, '-m', 'alembic', 'upgrade', 'head'], check=True)"""


@pytest.mark.parametrize(
    ("code", "left_over"),
    [
        *((f"{LESSON}\n{SEPARATE}", each) for each in LEFT_OVER.values()),
        (THROWAWAY, ALL),
        (ALEMBIC, ALL),
    ],
    ids=[*LEFT_OVER, "a throwaway", "the finished project"],
)
@pytest.mark.usefixtures("untouched")
def test_left_over_from_work(
    work: Server, workbook: Workbook, code: str, left_over: dict[str, str]
) -> None:
    """All works, and on our own server; what is inherited from here leads there, too."""
    places = {"folder": workbook.folder, "address": work.address, "sockets": work.sockets}
    given = {name: value.format(**places) for name, value in left_over.items()}
    workbook.run(code, **given)


# On a server that the user names


@pytest.mark.parametrize("carried_over", [{}, {"WORKBOOK_EMBEDDED": "1"}], ids=["", "ours"])
@pytest.mark.parametrize("code", [LESSON, SEPARATE, ALEMBIC])
@pytest.mark.usefixtures("untouched")
def test_tables_of_others_are_left_alone(
    work: Server, workbook: Workbook, code: str, carried_over: dict[str, str]
) -> None:
    """What is ours is told from the mark on a database, by no variable."""
    given = {"PGHOST": work.sockets, "PGUSER": "learner", "PGDATABASE": "jobboard"}
    workbook.run(code, fails="left alone", **given, **carried_over)


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("postgresql+psycopg2://learner@{address}/jobboard?sslmode=disable", "learner"),
        ("postgres://{address}/jobboard?user=postgres&sslmode=disable&pool_size=3", "postgres"),
        ("postgresql:///jobboard?host={address}&user=learner&sslmode=disable", "learner"),
    ],
)
@pytest.mark.usefixtures("untouched")
def test_database_url(work: Server, workbook: Workbook, url: str, user: str) -> None:
    """It is not outdone by what is left over, nor by the embedded server of a terminal's parent."""
    parent = {"PGHOST": "/nowhere", "PGPORT": "5432", "WORKBOOK_EMBEDDED": "/nowhere:5432"}
    left_over = {"PGSERVICE": "work", "PGHOSTADDR": "192.0.2.1"}
    code = "from workbook.server.database import *; connect_environment(); print(*[os.environ[each]"
    code += " for each in ('PGHOST', 'PGUSER', 'PGDATABASE', 'PGSSLMODE')])"
    said = workbook.run(code, DATABASE_URL=url.format(address=work.address), **left_over, **parent)
    assert said == f"{work.address} {user} jobboard disable\n"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"DATABASE_URL": "sqlite:///x.db"}, "not an address of PostgreSQL"),
        ({"DATABASE_URL": "mysql://me@localhost/x"}, "not an address of PostgreSQL"),
        ({"DATABASE_URL": "postgresql://me@localhost:port/x"}, "not an address of PostgreSQL"),
        ({"PGHOST": "localhost", "PGSERVICE": "work"}, "PGHOST and PGSERVICE both name a server"),
        ({"PGHOST": "{address}", "PGCHANNELBINDING": "require"}, "channel binding required"),
        (
            {"PGHOST": "{address}", "PGTARGETSESSIONATTRS": "standby"},
            "server is not in hot standby",
        ),
        ({"PGHOST": "{address}", "PGSSLMODE": "nonsense"}, 'invalid sslmode value: "nonsense"'),
    ],
)
def test_settings_that_cannot_work(
    work: Server, workbook: Workbook, given: dict[str, str], words: str
) -> None:
    """Libpq's own words, at once."""
    given = {name: value.format(address=work.address) for name, value in given.items()}
    workbook.run(LESSON, fails=words, **{"PGUSER": "postgres", **given})


# The second wall


@pytest.mark.parametrize("mark", ["NULL", f"'{database.MARK}'"], ids=["", "marked"])
@pytest.mark.parametrize(
    "code",
    [
        "with engine().begin() as connection: claim(connection)",
        "drop('jobboard')",
        "with scratch(): pass",
    ],
)
def test_a_connection_that_leads_away(
    work: Server, workbook: Workbook, code: str, mark: str
) -> None:
    """Should a variable get past us: not even a database with our mark is taken for ours."""
    work.rows(f"COMMENT ON DATABASE jobboard IS {mark}")
    before = work.state()
    file = str(workbook.folder / "pg_service.conf")
    code = f"""from workbook.server.database import *
connect_environment()
os.environ.update(PGSERVICE="work", PGSERVICEFILE={file!r})
{code}"""
    workbook.run(code, fails="led to another server than the workbook's own")
    assert work.state() == before


def test_a_service_that_a_terminals_start_up_file_names_again(
    work: Server, workbook: Workbook
) -> None:
    code = "from workbook.server.database import *; connect_environment()\n"
    code += "os.environ['PGSERVICE'] = 'work'; psycopg2.connect('')"
    workbook.run(code, fails='definition of service "work" not found')


def test_a_workbook_within_a_workbook(work: Server, workbook: Workbook) -> None:
    """One starts in a terminal of the other: each has its own server."""
    code = "import json; from workbook.server.database import *; connect_environment()\n"
    code += "print(json.dumps({k: v for k, v in os.environ.items() if k[:2] in ('PG', 'WO')}))"
    outer = json.loads(workbook.run(code))
    with tempfile.TemporaryDirectory(prefix="wb-", dir="/tmp") as name:
        try:
            inner = json.loads(Workbook(Path(name)).run(code, **outer | {"WORKBOOK_HOME": name}))
        finally:
            postgres.stop(Path(name) / ".postgres")
            shutil.rmtree(postgres.cluster_home(Path(name) / ".postgres"), ignore_errors=True)
    assert outer["PGHOST"] != inner["PGHOST"] != ""
    assert inner["WORKBOOK_EMBEDDED"] == f"{inner['PGHOST']}:{inner['PGPORT']}"


def test_a_setting_of_the_learners_own(workbook: Workbook) -> None:
    """It is named, and so is the statement that takes it back."""
    code = "from workbook.server.database import *; connect_environment()\n"
    code += "with engine().connect().execution_options(isolation_level='AUTOCOMMIT') as mine:"
    code += " mine.exec_driver_sql('{}')"
    lesson = f"{code}\n{LESSON}".format(
        "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on"
    )
    way_back = "BEGIN READ WRITE; ALTER ROLE CURRENT_USER RESET ALL; COMMIT;"
    workbook.run(
        lesson,
        fails=f"in a read-only transaction. If a setting of yours is in the way, take it back: {way_back}",
    )
    workbook.run(f"{code}\n{LESSON}".format(way_back))
