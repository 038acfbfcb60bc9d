"""Each mistake of the catalogue is made here for real, and says what the catalogue says it says."""

import contextlib
import importlib
import io
import logging
import logging.config
import os
import re
import sys
import textwrap
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from alembic.config import Config
from alembic.config import main as alembic_main

from workbook.exercises.mistakes.errors import WRAPPED, Entry, entries
from workbook.explaining import explain
from workbook.reading import clean, read
from workbook.server import database as db

URL = "postgresql+psycopg2://"
SCRIPT_NAMES = {"__name__": "__main__", "URL": URL}
ENTRIES = {each.id: each for each in entries()}
INI = f"[alembic]\nscript_location = %(here)s/alembic\nprepend_sys_path = %(here)s\npath_separator = os\nsqlalchemy.url = {URL}\n"
ENV = """
from sqlalchemy import engine_from_config, pool
from alembic import context
target_metadata = None
options = {}
#models
engine = engine_from_config(context.config.get_section("alembic"), poolclass=pool.NullPool)
if context.is_offline_mode():
    context.configure(url=context.config.get_main_option("sqlalchemy.url"), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with engine.connect() as connection:
        #before
        context.configure(connection=connection, target_metadata=target_metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
"""
MODELS = """
from typing import Optional
import enum
import sqlalchemy as sa
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
class Base(DeclarativeBase): pass
class Company(Base):
    __tablename__ = "companies"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
"""
COMPANIES = 'op.create_table("companies", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String, nullable=False))'
JOBS = 'op.create_table("jobs", sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.String), sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id")))'
ROWS = "INSERT INTO companies (name) VALUES ('Ada'), ('Bo')"


class Lab:
    """A project and an empty database in which mistakes are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("alembic.ini", INI)
        self.env()
        self.write("alembic/script.py.mako", SCRIPT)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def env(self, before: str = "pass", models: str = "", options: str = "") -> None:
        text = ENV.replace("#before", before).replace("#models", models)
        self.write("alembic/env.py", text.replace("options = {}", f"options = dict({options})"))

    def models(self, more: str = "", text: str = MODELS, options: str = "", **env: str) -> None:
        """models.py, known to env.py."""
        self.write("models.py", text + textwrap.dedent(more))
        known = "from models import Base; target_metadata = Base.metadata"
        self.env(models=known, options=options, **env)

    def revision(
        self, id: str, down: str | None, up: str = "pass", back: str = "pass", top: str = ""
    ) -> None:
        up, back = (textwrap.indent(textwrap.dedent(each), "    ") for each in (up, back))
        self.write(
            f"alembic/versions/{id}_x.py",
            f"from alembic import op\nimport sqlalchemy as sa\n{top}\nrevision = {id!r}\n"
            f"down_revision = {down!r}\n\ndef upgrade():\n{up}\n\ndef downgrade():\n{back}\n",
        )

    def chain(self, *ups: str, back: str = "pass") -> None:
        """Revisions a1, b2, c3, ... one after the other."""
        ids = ["a1", "b2", "c3", "d4"]
        for id, down, up in zip(ids, [None, *ids], ups, strict=False):
            self.revision(id, down, up, back)

    def alembic(self, *commands: str) -> str:
        """What the last of these commands says."""
        for command in commands:
            said = io.StringIO()
            with self.listening(said):
                alembic_main(argv=command.split(" "), prog="alembic")
        return said.getvalue()

    def python(self, code: str) -> str:
        """What a Python script says."""
        said = io.StringIO()
        path = self.folder / "script.py"
        path.write_text(textwrap.dedent(code))
        with self.listening(said):
            exec(compile(path.read_text(), path, "exec"), {**SCRIPT_NAMES})  # noqa: S102
        return said.getvalue()

    @contextlib.contextmanager
    def listening(self, said: io.StringIO) -> Iterator[None]:
        """As in a process of its own: what is imported goes again, and errors are printed."""
        before, path = set(sys.modules), sys.path[:]
        handler = logging.StreamHandler(said)
        handler.setFormatter(logging.Formatter("%(levelname)-5.5s [%(name)s] %(message)s"))
        logger = logging.getLogger("alembic")
        logger.addHandler(handler)
        logger.setLevel("INFO")
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("always")
            warnings.showwarning = lambda *args: print(warnings.formatwarning(*args[:4]))
            try:
                yield
            except SystemExit:
                pass
            except BaseException:  # noqa: BLE001 - whatever it is, Python would print it
                traceback.print_exc(file=said)
        logger.removeHandler(handler)
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if str(self.folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]

    def sql(self, *statements: str) -> str:
        """What psycopg2, through SQLAlchemy, says to these statements."""
        lines = [f"    c.exec_driver_sql({each!r})" for each in statements]
        return self.python(
            "import sqlalchemy as sa\nwith sa.create_engine(URL).begin() as c:\n" + "\n".join(lines)
        )


SCRIPT = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

def upgrade():
    ${upgrades if upgrades else "pass"}

def downgrade():
    ${downgrades if downgrades else "pass"}
'''


@pytest.fixture(scope="module")
def one_database(
    server: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg2.extensions.connection]:
    name = f"mistakes_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with db.separate(name, tmp_path_factory.mktemp("mistakes")):
        db.connect_environment()
        connection = psycopg2.connect("")
        connection.autocommit = True
        yield connection
        connection.close()


@pytest.fixture
def lab(
    one_database: psycopg2.extensions.connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Lab:
    one_database.cursor().execute("DROP SCHEMA IF EXISTS public, hr CASCADE; CREATE SCHEMA public")
    monkeypatch.setattr(logging.config, "fileConfig", lambda *args, **kwargs: None)
    monkeypatch.setattr(
        Config, "print_stdout", lambda self, text, *args: print(text % args or text)
    )
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=5s -c synchronous_commit=off")
    return Lab(tmp_path)


Case = Callable[[Lab], str]
CASES: dict[str, Case] = {}


def case(*ids: str) -> Callable[[Case], Case]:
    """The way to make a mistake, by its id in the catalogue."""

    def note(function: Case) -> Case:
        CASES.update(dict.fromkeys(ids, function))
        return function

    return note


def address(url: str) -> Case:
    """A project with another address."""

    def made(lab: Lab) -> str:
        lab.write("alembic.ini", INI.replace(URL, url))
        return lab.alembic("current")

    return made


# ---- set-up --------------------------------------------------------------------------------------


def refused(words: str) -> Case:
    """What comes of a server that refuses a connection so; the embedded one has no reason to."""
    return lambda lab: lab.python(f"""
        import psycopg2, sqlalchemy as sa
        def connect():
            raise psycopg2.OperationalError('connection to server at "localhost" (127.0.0.1), port 5432'
                ' failed: {words}\\n')
        sa.create_engine(URL, creator=connect).connect()
    """)


HOST = "postgresql+psycopg2://x:y@localhost:1/z"
CASES.update(
    {
        "A02": address("driver://user:pass@localhost/dbname"),
        "A03": address("postgresql://"),
        "A02b": address("redshift+psycopg2://u@h/d"),
        "A03b": lambda lab: (
            address("postgresql+asyncpg://")(lab) + address("postgresql+psycopg://")(lab)
        ),
        "A04": address("postgres://u:p@localhost/x"),
        "A05": address("postgresql+psycopg2://u:p%40ss@localhost/x"),
        "A05b": address("postgresql://%(DB_USER)s@localhost/x"),
        "A07": address("postgresql+psycopg2://scott:p@ss@nowhere.invalid/x"),
        "A07b": address("postgresql+psycopg2://scott:pass@nowhere.invalid/x"),
        "A09": address(URL + "/nope"),
        "A09b": address(HOST),
        "A08c": address("postgresql+psycopg2://nobody_here@/postgres"),
        "F04": address(""),
        "A08d": refused("fe_sendauth: no password supplied"),
        "A08e": refused(
            'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "u", no encryption'
        ),
        "A09c": refused("FATAL:  the database system is starting up"),
        "A09e": refused("connection timeout expired"),
        "E16": refused("FATAL:  sorry, too many clients already"),
        "A11b": lambda lab: lab.python("import no_such_package"),
    }
)


@case("A01")
def elsewhere(lab: Lab) -> str:
    (lab.folder / "alembic.ini").unlink()
    return lab.alembic("current")


@case("A06")
def set_main_option(lab: Lab) -> str:
    option = (
        'context.config.set_main_option("sqlalchemy.url", "postgresql+psycopg2://u:p%40ss@h/x")'
    )
    lab.env(models=option)
    return lab.alembic("current")


@case("A08", "A08b")
def stars(lab: Lab) -> str:
    # The embedded server asks for no password: the words are those of one that does.
    return lab.python("""
        import psycopg2, sqlalchemy as sa
        url = str(sa.make_url("postgresql+psycopg2://lab:secret@localhost/x"))
        print("#", url)
        def connect():
            raise psycopg2.OperationalError('connection to server at "localhost" (127.0.0.1), port 5432'
                ' failed: FATAL:  password authentication failed for user "lab"\\n')
        sa.create_engine(URL, creator=connect).connect()
    """)


@case("A10")
def init_twice(lab: Lab) -> str:
    return lab.alembic("init alembic")


@case("A11")
def models_not_found(lab: Lab) -> str:
    lab.env(models="from jobs_app.models import Base")
    return lab.alembic("current")


@case("C20")
def no_folder(lab: Lab) -> str:
    lab.write("alembic.ini", INI.replace("%(here)s/alembic", "%(here)s/migrations"))
    return lab.alembic("current")


@case("A12")
def shadowed(lab: Lab) -> str:
    lab.write("alembic/__init__.py", "")
    return lab.python("""
        import sys
        kept = {each: sys.modules.pop(each) for each in [*sys.modules] if each.split(".")[0] == "alembic"}
        try:
            from alembic import command
        finally:
            sys.modules.pop("alembic")
            sys.modules.update(kept)
    """)


@case("A13")
def run_by_python(lab: Lab) -> str:
    lab.revision("a1", None, COMPANIES)
    return (
        lab.python("import runpy; runpy.run_path('alembic/env.py')")
        + "\n"
        + lab.python("import runpy; runpy.run_path('alembic/versions/a1_x.py')['upgrade']()")
    )


@case("A14")
def old_ini(lab: Lab) -> str:
    text = INI.replace("path_separator = os\n", "version_locations = %(here)s/alembic/versions\n")
    lab.write("alembic.ini", text)
    return lab.alembic("current")


@case("A15")
def another_role(lab: Lab) -> str:
    own = "CREATE TABLE companies (); REVOKE ALL ON companies FROM CURRENT_USER"
    lab.sql(own, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    said = lab.sql("SELECT * FROM companies")
    return said + lab.sql(
        "REVOKE CREATE ON SCHEMA public FROM CURRENT_USER", "CREATE TABLE jobs ()"
    )


# ---- drafts --------------------------------------------------------------------------------------

DRAFTED = "revision --autogenerate -m x"


@case("B01")
def no_metadata(lab: Lab) -> str:
    return lab.alembic("check")


def drafted(before: str, models: str, *commands: str, **ways: str) -> Case:
    """What a draft or a check says where the tables are these and the models those."""

    def made(lab: Lab) -> str:
        lab.sql(before)
        lab.models(models, **ways)
        return lab.alembic(*(commands or ("check",)))

    return made


TABLE = "CREATE TABLE companies (id serial PRIMARY KEY, name varchar NOT NULL"
CASES.update(
    {
        "B02": drafted(TABLE + "); CREATE TABLE jobs (id serial PRIMARY KEY)", "", DRAFTED),
        "B17": drafted(TABLE + "); CREATE TABLE spatial_ref_sys (srid int)", "", DRAFTED),
        "B05": drafted(
            TABLE + "); CREATE TABLE jobs (id serial PRIMARY KEY)",
            'class Job(Base):\n    __tablename__ = "job"\n    id: Mapped[int] = mapped_column(primary_key=True)',
            DRAFTED,
        ),
        "B04": drafted(
            TABLE + ", legal varchar NOT NULL)",
            "Company.legal_name = mapped_column(String, nullable=False)",
            DRAFTED,
        ),
        "B06": drafted(
            "CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL)", ""
        ),
        "B07": drafted(TABLE.replace("NULL", "NULL DEFAULT 'x'") + ")", ""),
        "B08": drafted(
            TABLE + ")",
            "Company.__table__.append_constraint(sa.CheckConstraint('id > 0', name='c'))",
        ),
        "C08": drafted(TABLE + ")", ""),
        "E04": drafted(TABLE + ")", ""),
        "E09": drafted(TABLE + ")", ""),
        "B18": drafted(
            TABLE + "); CREATE SCHEMA hr; CREATE TABLE hr.jobs (id serial PRIMARY KEY)",
            'class Job(Base):\n    __tablename__ = "jobs"\n    __table_args__ = {"schema": "hr"}\n'
            "    id: Mapped[int] = mapped_column(primary_key=True)",
            DRAFTED,
        ),
        "B21": drafted(
            TABLE + ")",
            'from sqlalchemy.schema import CreateView\nCreateView(sa.select(Company.id), "v_jobs", metadata=Base.metadata)',
            DRAFTED,
        ),
        "B22": drafted(
            TABLE + ", n int GENERATED ALWAYS AS (length(name)) STORED)",
            'Company.n = mapped_column(sa.Integer, sa.Computed("length(name) + 1", persisted=True))',
            options="compare_server_default=True",
        ),
        "B23": drafted(TABLE + ")", "sa.Index('ix_companies_name', Company.name)", DRAFTED),
        "E04b": drafted(TABLE + ")", "Company.n = mapped_column(sa.Integer)"),
    }
)


@case("B03")
def not_up_to_date(lab: Lab) -> str:
    lab.models()
    lab.chain(COMPANIES)
    return lab.alembic(DRAFTED)


def upgraded(*ups: str, rows: str = "", last: str = "upgrade head", back: str = "pass") -> Case:
    """All revisions but the last are applied, rows come in, then the last."""

    def made(lab: Lab) -> str:
        lab.chain(*ups[:-1], back=back)
        if ups[1:]:
            lab.alembic("upgrade head")
        if rows:
            lab.sql(rows)
        lab.chain(*ups, back=back)
        return lab.alembic(last)

    return made


def queried(*statements: str) -> Case:
    """What the last of these statements says; the others make what it needs."""

    def made(lab: Lab) -> str:
        lab.sql(TABLE + ")", *statements[:-1])
        return lab.sql(statements[-1])

    return made


ENUM = 'op.create_table("{0}", sa.Column("s", sa.Enum("a", "b", name="status")))'
CASES.update(
    {
        "B18b": upgraded('op.create_table("jobs", sa.Column("id", sa.Integer), schema="hr")'),
        "B18c": queried("INSERT INTO companies (name) VALUES (np.float64(0.5))"),
        "B12c": queried("ALTER TABLE companies ADD v vector(3)"),
        "B12d": queried("CREATE EXTENSION no_such"),
        "B16c": queried(
            "CREATE TYPE a AS ENUM ('x'); CREATE TYPE b AS ENUM ('x')", "SELECT 'x'::a::b"
        ),
        "B25": upgraded('op.create_table("t", sa.Column("s", sa.Enum("a", "b")))'),
        "B26": upgraded('op.create_table("t", sa.Column("s"))'),
        "B10": queried(
            "CREATE TYPE status AS ENUM ('open'); ALTER TABLE companies ADD s status",
            "INSERT INTO companies (name, s) VALUES ('x', 'paused')",
        ),
        "G01": queried("CREATE TYPE status AS ENUM ('a')", "CREATE TYPE status AS ENUM ('a')"),
        "B24": upgraded(ENUM.format("a"), ENUM.format("b")),
        "B12": upgraded(
            COMPANIES, 'op.add_column("companies", sa.Column("s", sa.Enum("a", name="status")))'
        ),
        "B12b": upgraded("op.execute(\"ALTER TYPE status ADD VALUE 'x'\")"),
        "B13": upgraded(
            COMPANIES,
            'op.add_column("companies", sa.Column("plan", sa.String, default="free", nullable=False))',
            rows=ROWS,
        ),
        "B14": upgraded(
            COMPANIES,
            'op.add_column("companies", sa.Column("plan", sa.String, nullable=False))',
            rows=ROWS,
        ),
        "B15": upgraded(
            COMPANIES + '\nop.add_column("companies", sa.Column("plan", sa.String))',
            'op.alter_column("companies", "plan", nullable=False)',
            rows=ROWS,
        ),
        "B16": upgraded(COMPANIES, 'op.alter_column("companies", "name", type_=sa.Integer)'),
        "B16b": upgraded(
            'op.create_table("t", sa.Column("n", sa.String, server_default="x"))',
            'op.alter_column("t", "n", type_=sa.Integer, postgresql_using="1")',
        ),
        "B19": upgraded('op.create_table("t", sa.Column("s", models.Slug()))'),
        "G02": upgraded(COMPANIES, COMPANIES),
        "G02b": queried(
            "CREATE INDEX ix_id ON companies (id)", "CREATE INDEX ix_id ON companies (id)"
        ),
        "G02c": queried("CREATE SEQUENCE no_seq", "CREATE SEQUENCE no_seq"),
        "C15": upgraded(
            COMPANIES + '\nop.create_index("ix", "companies", ["name"])',
            'op.create_index("ix", "companies", ["name"])',
        ),
    }
)


@case("B09")
def unnamed(lab: Lab) -> str:
    lab.revision(
        "a1",
        None,
        COMPANIES + '\nop.create_unique_constraint(None, "companies", ["name"])',
        'op.drop_constraint(None, "companies", type_="unique")',
    )
    return lab.alembic("upgrade head", "downgrade base")


@case("B11")
def type_left(lab: Lab) -> str:
    lab.revision("a1", None, ENUM.format("t"), 'op.drop_table("t")')
    return lab.alembic("upgrade head", "downgrade base", "upgrade head")


@case("B20")
def create_all_first(lab: Lab) -> str:
    lab.sql(TABLE + ")")
    return upgraded(COMPANIES)(lab)


@case("C09")
def version_dropped(lab: Lab) -> str:
    lab.chain(COMPANIES)
    lab.alembic("upgrade head")
    lab.sql("DROP TABLE alembic_version")
    return lab.alembic("upgrade head")


# ---- history -------------------------------------------------------------------------------------


def chained(*commands: str) -> Case:
    def made(lab: Lab) -> str:
        lab.chain(COMPANIES, "pass", "pass")
        return lab.alembic(*commands)

    return made


CASES.update(
    {
        "C07b": chained("upgrade haed"),
        "C07": chained("downgrade -1"),
        "C07c": chained("downgrade"),
        "C06": chained("upgrade b2", "downgrade c3"),
        "C16": chained("upgrade head", "downgrade a1"),
        "C13": chained("upgrade head"),
        "C18": chained("revision --head a1 -m x"),
        "C12b": chained("revision --rev-id a:b -m x"),
        "D10b": chained("downgrade a1 --sql"),
        "D10c": chained("upgrade a1:b2"),
        "E10": chained("current --check-heads"),
        "D05": chained("upgrade head"),
        "D09": chained("upgrade head"),
        "E08": chained("upgrade head"),
        "E11": chained("upgrade head"),
    }
)


@case("C01")
def heads(lab: Lab) -> str:
    lab.revision("a1", None)
    lab.revision("b2", "a1")
    lab.revision("c3", "a1")
    return lab.alembic("upgrade head") + lab.alembic("revision -m x")


@case("C01b")
def from_a_merge(lab: Lab) -> str:
    heads(lab)
    lab.revision("d4", ("b2", "c3"))  # type: ignore[arg-type]
    return lab.alembic("upgrade head", "downgrade -1")


@case("C02")
def deleted(lab: Lab) -> str:
    lab.chain(COMPANIES, "pass")
    lab.alembic("upgrade head")
    (lab.folder / "alembic/versions/b2_x.py").unlink()
    return lab.alembic("current")


@case("C10")
def ambiguous(lab: Lab) -> str:
    lab.revision("abcd1", None)
    lab.revision("abcd2", "abcd1")
    return lab.alembic("upgrade abcd")


@case("C03")
def gap(lab: Lab) -> str:
    lab.chain(COMPANIES, "pass", "pass")
    (lab.folder / "alembic/versions/b2_x.py").unlink()
    return lab.alembic("upgrade head")


@case("C04")
def copied(lab: Lab) -> str:
    lab.chain("pass")
    text = (lab.folder / "alembic/versions/a1_x.py").read_text()
    lab.write("alembic/versions/copy.py", text)
    return lab.alembic("history")


@case("C05")
def circle(lab: Lab) -> str:
    lab.revision("a1", "b2")
    lab.revision("b2", "a1")
    said = lab.alembic("history")
    lab.revision("b2", "b2")
    lab.revision("a1", None)
    return said + lab.alembic("history")


@case("C17")
def ancestor_stamped(lab: Lab) -> str:
    chained("upgrade head")(lab)
    lab.sql("INSERT INTO alembic_version VALUES ('a1')")
    return lab.alembic("upgrade head")


@case("C19")
def row_taken(lab: Lab) -> str:
    return upgraded(COMPANIES, 'op.execute("DELETE FROM alembic_version")')(lab)


@case("C11")
def stamped(lab: Lab) -> str:
    lab.chain(JOBS.replace(', sa.ForeignKey("companies.id")', ""))
    lab.alembic("stamp head")
    lab.revision("b2", "a1", 'op.add_column("jobs", sa.Column("x", sa.Integer))')
    return lab.alembic("upgrade head")


@case("C12")
def long_id(lab: Lab) -> str:
    lab.revision("a_revision_id_of_more_than_32_characters", None)
    return lab.alembic("upgrade head")


def at_once(lab: Lab, first: str, second: str, then: str = "COMMIT") -> str:
    """What two say, of whom the second waits for the first, which goes on then."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    other, watching = psycopg2.connect(""), psycopg2.connect("")
    watching.autocommit = True
    other.cursor().execute(first)
    lost = []

    def go_on() -> None:
        for _ in range(400):
            cursor = watching.cursor()
            cursor.execute(waits)
            if cursor.fetchone() != (0,):
                break
            time.sleep(0.01)
        try:
            other.cursor().execute(then)
        except psycopg2.Error as error:
            lost.append(f"psycopg2.errors.{type(error).__name__}: {error}")
        other.rollback()

    thread = threading.Thread(target=go_on)
    thread.start()
    said = lab.sql(second)
    thread.join()
    other.close()
    watching.close()
    return said + "".join(lost)


@case("C14")
def two_upgrades(lab: Lab) -> str:
    return at_once(lab, "CREATE TABLE companies ()", "CREATE TABLE companies ()")


# ---- operations ----------------------------------------------------------------------------------

TRIGGER = (
    "CREATE TRIGGER t BEFORE UPDATE ON companies FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)
INDEX = 'op.create_index("ix", "companies", ["name"], postgresql_concurrently=True{})'
BLOCK = "with op.get_context().autocommit_block():\n    "
CASES.update(
    {
        "D01": upgraded(COMPANIES, JOBS, 'op.drop_table("companies")'),
        "D01b": upgraded(JOBS),
        "G03": queried("SELECT * FROM jobs"),
        "G08": lambda lab: (
            upgraded(COMPANIES, JOBS, 'op.drop_table("companies")')(lab)
            + lab.sql(
                "CREATE VIEW v AS SELECT name FROM companies", "ALTER TABLE companies DROP name"
            )
        ),
        "G10": queried(
            "ALTER TABLE companies ADD CONSTRAINT c CHECK (id > 0)",
            "ALTER TABLE companies ADD CONSTRAINT c CHECK (id > 0)",
        ),
        "G11": queried("DROP TRIGGER no_such ON companies"),
        "G12": queried(TRIGGER, TRIGGER),
        "G13": queried("SELECT uuid_generate_v4()"),
        "G13b": queried("SELECT 1 FROM companies WHERE name = 5"),
        "G14": queried("INSERT INTO companies VALUES (3000000000, 'x')"),
        "G15": lambda lab: lab.python(
            "import sqlalchemy as sa\nwith sa.create_engine(URL).begin() as c:\n"
            "    c.exec_driver_sql('SELECT %s', ({},))"
        ),
        "G16": queried("SELECT 'abc'::integer"),
        "G26": queried("INSERT INTO companies VALUES (true, 'x')"),
        "G27": queried(
            "CREATE VIEW v AS SELECT id FROM companies",
            "CREATE OR REPLACE VIEW v AS SELECT name, id FROM companies",
        ),
        "G04c": queried("UPDATE companies c SET c.name = 'x'"),
        "G17": queried("ALTER TABLE companies ALTER id DROP NOT NULL"),
        "G17b": queried("ALTER TABLE companies ADD PRIMARY KEY (name)"),
        "G18": queried(
            "CREATE TABLE t (n int REFERENCES companies DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO companies VALUES (1, 'x'); INSERT INTO t VALUES (1); ALTER TABLE t ADD m int",
        ),
        "G25": queried("SELECT c.name FROM companies"),
        "G20": queried("INSERT INTO companies (name) VALUES ('x') ON CONFLICT (name) DO NOTHING"),
        "G21": queried(
            "CREATE INDEX ON companies (name)",
            "INSERT INTO companies (name) SELECT string_agg(md5(n::text), '') FROM generate_series(1, 150) n",
        ),
        "G22": queried("CREATE VIEW v AS SELECT 1 AS n", "DROP TABLE v"),
        "G23": queried(
            "CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY)", "INSERT INTO t VALUES (1)"
        ),
        "G24": queried(
            TRIGGER.replace("UPDATE", "UPDATE OF name"),
            "ALTER TABLE companies ALTER name TYPE varchar(9)",
        ),
        "G19": queried("SET TRANSACTION READ ONLY; CREATE TABLE t ()"),
        "D02": upgraded(COMPANIES, INDEX.format("")),
        "D04": upgraded(
            COMPANIES + '\nop.add_column("companies", sa.Column("x", sa.Integer))',
            'op.add_column("companies", sa.Column("x", sa.Integer))',
        ),
        "G06": upgraded(COMPANIES, 'op.add_column("companies", sa.Column("name", sa.String))'),
        "G07": queried("SELEC 1"),
        "D21e": upgraded('op.rename_column("companies", "name", "legal_name")'),
        "D15g": queried("CREATE TABLE t (n varchar REFERENCES companies (id))"),
        "D06": upgraded(
            "op.execute(\"CREATE TYPE st AS ENUM ('a'); CREATE TABLE t (s st)\")",
            "op.execute(\"ALTER TYPE st ADD VALUE 'paused'\")\nop.execute(\"INSERT INTO t VALUES ('paused')\")",
        ),
        "G04": lambda lab: (
            queried("SELECT c.plan FROM companies c")(lab)
            + queried("INSERT INTO companies (plan) VALUES ('x')")(lab)
        ),
        "D08": upgraded('op.get_bind().execute("SELECT 1")'),
        "D08b": upgraded("op.execute(\"SELECT ':draft', :draft\")"),
        "D10": upgraded(
            "[row for row in op.get_bind().execute(sa.text('SELECT 1'))]", last="upgrade head --sql"
        ),
        "G09": upgraded(COMPANIES, 'op.drop_constraint("fk_companies", "companies")'),
        "D11": upgraded(COMPANIES, 'op.drop_constraint("fk_companies", "companies")'),
        "D11b": upgraded(COMPANIES, 'op.drop_index("ix_companies")'),
        "D13": upgraded(
            'op.create_table("t", sa.Column("at", sa.DateTime, server_default="now()"))',
            last="upgrade head --sql",
        ),
        "D13b": upgraded('op.create_table("t", sa.Column("b", sa.Boolean, server_default=True))'),
        "D14": queried(
            "INSERT INTO companies VALUES (1, 'Ada')", "INSERT INTO companies (name) VALUES ('Bo')"
        ),
        "D14c": queried(
            "CREATE UNIQUE INDEX uq ON companies (name)",
            "INSERT INTO companies (name) VALUES ('Ada'), ('Ada')",
        ),
        "D14b": upgraded(COMPANIES, 'op.bulk_insert("companies", [{"name": "x"}])'),
        "D15b": queried(
            "CREATE TABLE jobs (company_id int REFERENCES companies)", "INSERT INTO jobs VALUES (7)"
        ),
        "D15c": queried(
            "CREATE TABLE jobs (company_id int REFERENCES companies)",
            "INSERT INTO companies VALUES (1, 'x'); INSERT INTO jobs VALUES (1)",
            "DELETE FROM companies",
        ),
        "D15d": queried("INSERT INTO companies (name) VALUES (NULL)"),
        "D15e": queried(
            "ALTER TABLE companies ADD CONSTRAINT c CHECK (name <> '')",
            "INSERT INTO companies (name) VALUES ('')",
        ),
        "D15f": queried("CREATE TABLE t (n varchar REFERENCES companies (name))"),
        "D16": upgraded(f'{COMPANIES}; op.create_index("{"x" * 70}", "companies", ["name"])'),
        "C12c": queried(
            "ALTER TABLE companies ALTER name TYPE varchar(3)",
            "INSERT INTO companies (name) VALUES ('Ada L.')",
        ),
        "D17b": queried("CREATE TYPE st AS ENUM ('a'); CREATE TABLE t (s st)", "DROP TYPE st"),
        "D17c": queried(
            "CREATE TABLE t (n int REFERENCES companies)",
            "ALTER TABLE companies DROP CONSTRAINT companies_pkey",
        ),
        "D20": upgraded(
            COMPANIES,
            'op.add_column("companies", sa.Column("boss", sa.Integer, sa.ForeignKey("companies.id")))',
            last="upgrade a1:head --sql",
        ),
        "D21": upgraded('op.create_table("t", sa.Column("d", postgresql.JSONB()))'),
        "D21f": lambda lab: lab.python("companies"),
        "D21b": upgraded("create table"),
        "G05": upgraded(
            COMPANIES,
            'try:\n    op.execute("SELECT 1/0")\nexcept Exception:\n    pass\nop.execute("SELECT 1")',
        ),
        "A09d": queried("SET ROLE nobody_here"),
    }
)


@case("D21d")
def without_upgrade(lab: Lab) -> str:
    lab.chain("pass")
    path = lab.folder / "alembic/versions/a1_x.py"
    path.write_text(path.read_text().replace("def upgrade", "def up"))
    return lab.alembic("upgrade head")


@case("D22")
def commits(lab: Lab) -> str:
    up = 'op.add_column("companies", sa.Column("x", sa.Integer))\nop.get_bind().commit()\n'
    lab.chain(COMPANIES, up + 'op.execute("SELECT 1/0")')
    lab.alembic("upgrade a1", "upgrade head")
    return lab.alembic("upgrade head")


@case("D03")
def third_of_three(lab: Lab) -> str:
    lab.chain(COMPANIES, JOBS, 'op.execute("SELECT 1/0")')
    return lab.alembic("upgrade head")


@case("D07")
def models_imported(lab: Lab) -> str:
    lab.models("Company.plan = mapped_column(String)")
    lab.revision(
        "a1",
        None,
        COMPANIES + "\nfrom models import Company\nop.get_bind().execute(sa.select(Company)).all()",
    )
    said = lab.alembic("upgrade head")
    lab.revision(
        "a1",
        None,
        COMPANIES
        + "\nfrom models import Company\nop.bulk_insert(Company.__table__, [{'name': 'x', 'plan': 'y'}])",
    )
    return said + lab.alembic("upgrade head")


@case("G04b")
def not_at_this_revision(lab: Lab) -> str:
    return upgraded(COMPANIES, 'op.alter_column("companies", "plan", nullable=False)')(lab)


@case("D08c")
def engine_execute(lab: Lab) -> str:
    return lab.python("import sqlalchemy as sa\nsa.create_engine(URL).execute('SELECT 1')")


@case("D12")
def named_twice(lab: Lab) -> str:
    lab.models(
        "",
        MODELS.replace(
            ": pass",
            ":\n    metadata = sa.MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s'})",
        ),
    )
    lab.chain(COMPANIES, 'op.create_check_constraint("ck_companies_name", "companies", "id > 0")')
    lab.env(models="from models import Base; target_metadata = Base.metadata")
    lab.write(
        "alembic/env.py",
        (lab.folder / "alembic/env.py")
        .read_text()
        .replace("literal_binds=True", "literal_binds=True, target_metadata=target_metadata"),
    )
    return lab.alembic("upgrade a1:head --sql")


@case("D15")
def dirty(lab: Lab) -> str:
    lab.sql(TABLE + "); CREATE TABLE jobs (company_id int)", "INSERT INTO jobs VALUES (7), (7)")
    said = ""
    for rule in (
        'op.create_foreign_key("fk_x", "jobs", "companies", ["company_id"], ["id"])',
        'op.create_unique_constraint("uq_x", "jobs", ["company_id"])',
        'op.create_check_constraint("ck_x", "jobs", "company_id > 8")',
    ):
        lab.revision("a1", None, rule)
        said += lab.alembic("upgrade head")
    return said


@case("D17")
def under_a_view(lab: Lab) -> str:
    lab.sql(TABLE + "); CREATE VIEW v AS SELECT name FROM companies")
    lab.revision("a1", None, 'op.drop_column("companies", "name")')
    said = lab.alembic("upgrade head")
    lab.revision("a1", None, 'op.alter_column("companies", "name", type_=sa.Text)')
    return said + lab.alembic("upgrade head")


@case("D18")
def sqlite(lab: Lab) -> str:
    lab.write("alembic.ini", INI.replace(URL, f"sqlite:///{lab.folder}/x.db"))
    said = ""
    for up in (
        'op.alter_column("companies", "name", type_=sa.Text)',
        'op.create_unique_constraint("u", "companies", ["name"])',
    ):
        (lab.folder / "x.db").unlink(missing_ok=True)
        said += upgraded(COMPANIES, up)(lab)
    return said


@case("D18c")
def unnamed_in_batch(lab: Lab) -> str:
    lab.write("alembic.ini", INI.replace(URL, f"sqlite:///{lab.folder}/x.db"))
    up = 'with op.batch_alter_table("companies") as batch:\n'
    return upgraded(COMPANIES, up + '    batch.create_unique_constraint(None, ["name"])')(lab)


@case("D18b")
def half_a_batch(lab: Lab) -> str:
    lab.write("alembic.ini", INI.replace(URL, f"sqlite:///{lab.folder}/x.db"))
    up = 'op.execute("CREATE TABLE _alembic_tmp_companies (n)")\n'
    up += 'with op.batch_alter_table("companies", recreate="always") as batch:\n    pass'
    return upgraded(COMPANIES, up)(lab)


@case("D19")
def needing_each_other(lab: Lab) -> str:
    return lab.python("""
        import sqlalchemy as sa
        m = sa.MetaData()
        for one, two in (("companies", "jobs"), ("jobs", "companies")):
            sa.Table(one, m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("o", sa.ForeignKey(two + ".id")))
        m.sorted_tables
    """)


@case("D21c")
def without_ids(lab: Lab) -> str:
    lab.write("alembic/versions/b2.py", "revision = 'b2'\n")
    return lab.alembic("history")


# ---- production ----------------------------------------------------------------------------------


@case("E05", "E01")
def locked(lab: Lab) -> str:
    lab.sql(TABLE + ")")
    with contextlib.closing(psycopg2.connect("")) as other:
        other.cursor().execute("SELECT * FROM companies")
        return lab.sql("SET lock_timeout = '50ms'", "ALTER TABLE companies ADD x int")


CASES.update(
    {
        "E05b": queried("SET statement_timeout = '20ms'; SELECT pg_sleep(1)"),
        "E05c": queried("SELECT pg_cancel_backend(pg_backend_pid())"),
        "E17c": lambda lab: lab.python(
            "from sqlalchemy.ext.asyncio import create_async_engine\ncreate_async_engine(URL)"
        ),
        "E06": queried("SELECT companies.plan FROM companies"),
        "E14": queried("INSERT INTO companies (plan) VALUES ('x')"),
        "E07b": queried("DROP DATABASE nope"),
        "F05": lambda lab: lab.sql(
            TABLE + ")",
            "PREPARE q AS SELECT * FROM companies",
            "ALTER TABLE companies ADD x int",
            "EXECUTE q",
        ),
        "E15": queried("SELECT pg_terminate_backend(pg_backend_pid())"),
    }
)


@case("E07")
def database_in_use(lab: Lab) -> str:
    return lab.python("""
        import os, sqlalchemy as sa
        engine = sa.create_engine(URL)
        engine.connect().close()
        other = sa.create_engine(URL + "/postgres", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with other.connect() as c:
            try:
                c.exec_driver_sql('DROP DATABASE "%s"' % os.environ["PGDATABASE"])
            finally:
                engine.dispose()
    """)


@case("E12")
def statement_in_env(lab: Lab) -> str:
    lab.env(before='connection.exec_driver_sql("SELECT 1")')
    lab.revision("a1", None, BLOCK + "pass")
    return lab.alembic("upgrade head")


@case("E13")
def deadlock(lab: Lab) -> str:
    lab.sql("CREATE TABLE a (); CREATE TABLE b ()")
    # Who looks for a deadlock first, after a second, is ended: mostly the one that waits first.
    return at_once(lab, "LOCK b", "LOCK a; LOCK b", "LOCK a")


@case("E17", "E17b")
def async_driver(lab: Lab) -> str:
    return lab.python("""
        from sqlalchemy.util import await_only
        async def nothing(): pass
        c = nothing()
        try:
            await_only(c)
        finally:
            c.close()
    """)


# ---- models --------------------------------------------------------------------------------------


def mapped(more: str) -> Case:
    def made(lab: Lab) -> str:
        # A mapper that cannot be configured would be in the way of every other one here.
        code = textwrap.indent(MODELS + more, "    ")
        return lab.python(f"try:\n{code}\nfinally:\n    Base.registry.dispose(cascade=True)\n")

    return made


JOB = 'class Job(Base):\n    __tablename__ = "jobs"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
KEY = '    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))\n'
USE = "sa.orm.configure_mappers()\n"
CASES.update(
    {
        "E02": mapped(MODELS.partition("class Company")[2].join(["class Company", ""])),
        "F01": mapped(
            JOB + KEY + 'Company.jobs = relationship(Job, back_populates="company")\n' + USE
        ),
        "F01b": mapped(JOB + KEY + '    company: Mapped["Compny"] = relationship()\n' + USE),
        "F01c": mapped(JOB + "    company: Mapped[Company] = relationship()\n" + USE),
        "F01d": mapped(
            JOB
            + KEY
            + KEY.replace("company_id", "owner_id")
            + "    company: Mapped[Company] = relationship()\n"
            + USE
        ),
        "F01e": mapped(
            JOB
            + KEY.replace("companies", "company")
            + "sa.schema.sort_tables(Base.metadata.tables.values())"
        ),
        "F01h": mapped(
            JOB
            + KEY.replace("companies.id", "companies.key")
            + "Job.__table__.c.company_id.foreign_keys"
            "\n[each.column for each in Job.__table__.foreign_keys]"
        ),
        "F01f": mapped('class Tag(Base):\n    __tablename__ = "tags"\n    name: Mapped[str]\n'),
        "F01g": mapped(JOB + "    metadata: Mapped[str]\n"),
        "F02": mapped(
            JOB + KEY + "    company: Mapped[Company] = relationship()\n"
            "Company.jobs = relationship(Job)\n" + USE
        ),
        "F03": mapped(JOB + "    n: int = mapped_column()\n"),
        "F03c": mapped(JOB + "    n: Mapped[dict]\n"),
        "F01i": mapped(
            "def again():\n    class Company(Base):\n        __tablename__ = 'c'\n"
            "        id: Mapped[int] = mapped_column(primary_key=True)\n    return Company\n"
            "kept = again()\n"
            + JOB
            + KEY
            + '    company: Mapped["Company"] = relationship()\n'
            + USE
        ),
        "F03b": mapped(
            "from sqlalchemy.ext.declarative import declarative_base\ndeclarative_base()\n"
        ),
    }
)


# ---- the program around, and other databases ------------------------------------------------------


def run(code: str) -> Case:
    """What Python says to this code."""
    return lambda lab: lab.python("import sqlalchemy as sa\n" + textwrap.dedent(code))


SQLITE = """
    with sa.create_engine("sqlite://").connect() as c:
        for each in {!r}:
            c.exec_driver_sql(each)
"""
FOREIGN = (
    "PRAGMA foreign_keys=ON",
    "CREATE TABLE a (id INTEGER PRIMARY KEY)",
    "CREATE TABLE b (n REFERENCES a)",
)
MADE = """
    from sqlalchemy.dialects import mysql, postgresql, sqlite
    t = sa.Table("t", sa.MetaData(), sa.Column("n", {}))
    sa.schema.CreateTable(t).compile(dialect={}.dialect())
"""
CASES.update(
    {
        "P02": run("from sqlalchemy import Nope"),
        "P03": run("sa.Nope"),
        "P03b": run("import alembic; alembic.nope"),
        "P05": run("sa.select([sa.column('x')])"),
        "P06": run("sa.Table('t', sa.MetaData(), nope=1)"),
        "P06b": run("sa.MetaData(nope=1)"),
        "P07": run("import os; os.environ['NO_SUCH_URL']"),
        "P07b": run(
            "import pydantic\nclass Settings(pydantic.BaseModel):\n    url: str\nSettings()"
        ),
        "P11": run(
            "import asyncio\nasync def f():\n    c = g()\n    try: asyncio.run(c)\n"
            "    finally: c.close()\nasync def g(): pass\nasyncio.run(f())"
        ),
        "P13": run(MADE.format("postgresql.INET", "sqlite")),
        "P14": run("sa.Table('t', sa.MetaData(), autoload_with=sa.create_engine(URL))"),
        "P15": run(
            "with sa.create_engine(URL).begin() as c:\n    c.commit()\n    c.execute(sa.text('SELECT 1'))"
        ),
        "F04b": run("sa.make_url('postgresql://h:None/d')"),
        "P15b": run(
            "with sa.create_engine(URL).connect() as c:\n    c.execute(sa.text('SELECT 1'))\n    c.begin()"
        ),
        "P15c": run(
            "with sa.create_engine(URL).connect() as c:\n    pass\nc.execute(sa.text('SELECT 1'))"
        ),
        "P18": run("sa.engine_from_config({})"),
        "X04": run(
            SQLITE.format(
                ("CREATE TABLE a (n, m)", "CREATE INDEX i ON a (n)", "ALTER TABLE a DROP n")
            )
        ),
        "P16": lambda lab: lab.python(
            "import sqlalchemy as sa\nwith sa.create_engine(URL).begin() as c:\n"
            "    c.execute(sa.text('CREATE TABLE t ()')).all()"
        ),
        "X01": run(SQLITE.format((*FOREIGN, "INSERT INTO b VALUES (7)"))),
        "X02": run("sa.create_engine('sqlite:////no/such/folder/x.db').connect()"),
        "X03": run(
            SQLITE.format(
                (
                    "CREATE TABLE _alembic_tmp_a (n NOT NULL)",
                    "INSERT INTO _alembic_tmp_a VALUES (NULL)",
                )
            )
        ),
        "X16": run(MADE.format("sa.String", "mysql")),
        "X22": queried("PREPARE q AS SELECT 1", "PREPARE q AS SELECT 1; PREPARE q AS SELECT 1"),
    }
)


@case("P19")
def undecodable(lab: Lab) -> str:
    (lab.folder / "alembic.ini").write_bytes(b"# \xe2\x81\xff\n" + INI.encode())
    return lab.alembic("current")


@case("P01")
def in_a_circle(lab: Lab) -> str:
    lab.write("one.py", "from two import Base")
    lab.write("two.py", "from one import Base")
    return lab.python("import one")


@case("E17d")
def not_awaited(lab: Lab) -> str:
    made = """
        import sqlalchemy as sa
        from sqlalchemy.ext.asyncio import AsyncEngine
        engine = sa.create_engine("sqlite://")
        engine.dialect.is_async = True
        {}(AsyncEngine(engine))
    """
    return lab.python(made.format("sa.inspect")) + lab.python(
        made.format("sa.MetaData().create_all")
    )


@case("P08")
def no_logging(lab: Lab) -> str:
    return lab.python("""
        import importlib.util
        spec = importlib.util.find_spec("logging.config")
        fresh = importlib.util.module_from_spec(spec)  # the one in use is patched here
        spec.loader.exec_module(fresh)
        fresh.fileConfig("alembic.ini")
    """)


# What cannot be provoked here: the words as they stand at the entry's `source`.
QUOTED = {
    "A03c": "ImportError: no pq wrapper available.\nAttempts made:\n- couldn't import psycopg 'c'"
    " implementation: No module named 'psycopg_c'\n- couldn't import psycopg 'binary' implementation:"
    " No module named 'psycopg_binary'\n- couldn't import psycopg 'python' implementation: libpq library"
    " not found",
    "A03d": "❌ Error: [Errno 2] No such file or directory: 'alembic'",
    "P17": "ValueError: the greenlet library is required to use this function. No module named"
    " 'greenlet'",
    "E15b": "OperationalError: (psycopg2.OperationalError) SSL error: decryption failed or bad record mac",
    "G07b": "sqlalchemy.exc.ProgrammingError: (sqlalchemy.dialects.postgresql.asyncpg.ProgrammingError)"
    " <class 'asyncpg.exceptions.PostgresSyntaxError'>: cannot insert multiple commands into a"
    " prepared statement\n[SQL: SELECT pg_advisory_xact_lock(1);CREATE EXTENSION IF NOT EXISTS vector;]",
    "P04": ">           return connection._Connection__transaction\n"
    "E           AttributeError: 'Connection' object has no attribute '_Connection__transaction'\n\n"
    "site-packages/alembic/util/sqla_compat.py:141: AttributeError",
    "P05b": "sqlalchemy.exc.ArgumentError: columns argument to select() must be a Python list or other"
    " iterable",
    "P09": "Usage: flask [OPTIONS] COMMAND [ARGS]...\nTry 'flask --help' for help.\n\n"
    "Error: No such command 'db'.",
    "P10": "RuntimeError: Working outside of application context.\n\nThis typically means that you"
    " attempted to use functionality that needed\nthe current application.",
    "P11b": "RuntimeError: Task <Task pending name='Task-5'> got Future <Future pending> attached to a"
    " different loop",
    "P12": "ValueError: <class 'dict'> has no matching SQLAlchemy type",
    "X10": "sqlalchemy.exc.OperationalError: (MySQLdb._exceptions.OperationalError) (1091,"
    " \"Can't DROP 'dag_id'; check that column/key exists\")",
    "X11": "ERROR 1072 (42000): Key column 'type' doesn't exist in table",
    "X12": "(pymysql.err.OperationalError) (1071, 'Specified key was too long; max key length is 767"
    " bytes')",
    "X13": 'sqlalchemy.exc.InternalError: (pymysql.err.InternalError) (1553, "Cannot drop index'
    " 'board_item_ibfk_1': needed in a foreign key constraint\")",
    "X14": "(pymysql.err.OperationalError) (3780, \"Referencing column 'endpoint_id' and referenced"
    " column 'id' in foreign key constraint 'endpoint_region_mapping_ibfk_1' are incompatible.\")",
    "X15": "ERROR 3959 (HY000): Check constraint 'secret_acls_chk_2' uses column 'creator_only', hence"
    " column cannot be dropped or renamed.",
    "X20": "(sqlalchemy.dialects.postgresql.asyncpg.Error) <class 'asyncpg.exceptions.DataError'>:"
    " invalid input for query argument $5: False (expected a datetime.date or datetime.datetime"
    " instance, got 'bool')",
    "X21": "asyncpg.exceptions._base.InterfaceError: cannot perform operation: another operation is in"
    " progress",
}
CASES.update({id: lambda lab, text=text: text for id, text in QUOTED.items()})  # type: ignore[misc]


# ---- the tests -----------------------------------------------------------------------------------


def exact(line: str) -> str:
    """A line of the catalogue as what finds it word by word: no white space taken out."""
    parts = re.split(r"(\{\w+\}|…)", re.sub(r"\s+", " ", line))
    return "".join(
        ".{0,300}?" if re.fullmatch(r"\{\w+\}|…", part) else re.escape(part) for part in parts
    )


def titled(text: str, entry: Entry) -> bool:
    """Whether why() names this mistake: first, or after the general one of those with these words."""
    card = explain(text)
    words = {WRAPPED.sub("", line) for line in entry.lines}
    same = {each.name for each in entries() if words & {WRAPPED.sub("", x) for x in each.lines}}
    first = entry.quiet or card.title.removeprefix("Known: ") in same
    return first and entry.name.lower() in repr(card).lower()


def test_each_mistake_is_made() -> None:
    assert ENTRIES.keys() - CASES.keys() == set()
    assert {each.id for each in ENTRIES.values() if each.source} == QUOTED.keys()


# ---- the same words, cut, wrapped, coloured and of other tables ---------------------------------


def last_line(text: str) -> str:
    """The line that says what has failed, alone."""
    reading = read(text)[0]
    return f"{reading.kind}: {reading.reason}" if reading.kind else text


def end(text: str) -> str:
    """What a terminal still shows: the last lines from the error on, and a few before it."""
    lines = clean(text).splitlines(keepends=True)
    kind = read(text)[0].kind
    at = max((n for n, line in enumerate(lines) if kind and kind in line), default=5)
    return "".join(lines[max(0, at - 5) :])


def wrapped(text: str) -> str:
    """As in a terminal of 60 columns, which cuts words in two."""
    lines = (re.findall(r".{1,60}", line) or [""] for line in text.splitlines())
    return "\n".join(part for line in lines for part in line)


def coloured(text: str) -> str:
    """As a log viewer has it: colours within the lines, and a prefix before each."""
    painted = re.sub(r"\b([A-Z]\w+)\b", "\x1b[31;1m\\1\x1b[0m", text)
    return "\r\n".join(f"api-1  | {line}" for line in painted.splitlines())


def renamed(text: str) -> str:
    """With the tables of another project."""
    names = {"companies": "tbl_kunden", "jobs": "Stellen", "company_id": "kunde"}
    return re.sub(rf"(?<![a-z])({'|'.join(names)})(?![a-z])", lambda each: names[each[1]], text)


def fenced(text: str) -> str:
    """As quoted in a mail."""
    return "\n".join(f"> {line}" for line in text.splitlines())


# What is left could be the words of anything else.
NEEDS_MORE: dict[Callable[[str], str], set[str]] = {
    last_line: {
        *("A08", "B19", "C03", "P04", "P18", "P19", "F04b", "D03", "D10", "D14b", "D21b", "E12"),
        *("G04c",),
    },
    end: {"D03", "D10"},
    wrapped: {"B19", "D03", "D10", "P04"},
    coloured: set(),
    renamed: set(),
    fenced: set(),
}


@pytest.mark.parametrize("id", sorted(ENTRIES))
def test_mistake(id: str, lab: Lab) -> None:
    """It says the exact words, and why() names it by them, and by what is left of them elsewhere."""
    entry, said = ENTRIES[id], CASES[id](lab)
    for line in entry.lines:
        assert re.search(exact(line), re.sub(r"\s+", " ", said)), f"{line}\n\n{said[-1500:]}"
    assert titled(said, entry), explain(said)
    for way, not_these in NEEDS_MORE.items():
        if id not in not_these:
            assert titled(way(said), entry), (
                f"{way.__name__}: {explain(way(said))!r}\n\n{way(said)}"
            )
