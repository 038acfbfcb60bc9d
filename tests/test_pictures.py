"""Pictures: what they say of the real state, and that no name can break out of one.

What Mermaid makes of them is seen in Chromium, with the Mermaid that this JupyterLab has inside (npm
hands it out) and with JupyterLab's settings.
"""

import ast
import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page
from psycopg2 import sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workbook import WorkbookError, look, starts
from workbook.comparing import alembic_sees
from workbook.contents import INIT
from workbook.look import visible
from workbook.pictures import history, picture
from workbook.pictures import tables as pictures
from workbook.pictures.history import show_history
from workbook.pictures.picture import Picture
from workbook.pictures.tables import show_changes, show_drift, show_tables
from workbook.server import database as databases

MERMAID = "text/vnd.mermaid"


@pytest.fixture
def project(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A learner's empty project, and this process within it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    # Revisions are rewritten faster than the clock of the compiled files ticks.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return database


def execute(*statements: str) -> None:
    with databases.engine().begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


EMPTY = ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")


@pytest.fixture(scope="module")
def page(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A page with the very version of Mermaid that JupyterLab has inside, set up as there."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm is missing, which hands out Mermaid: install npm")
    licences = Path(sys.prefix) / "share/jupyter/lab/static/third-party-licenses.json"
    packages = json.loads(licences.read_text(encoding="utf-8"))["packages"]
    [version] = [each["versionInfo"] for each in packages if each["name"] == "mermaid"]
    folder = tmp_path_factory.mktemp("mermaid")
    pack = [npm, "pack", "--prefer-offline", "--fetch-retries=0", f"mermaid@{version}"]
    done = subprocess.run(pack, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm does not get Mermaid: {done.stderr.strip()[-200:]}")
    [archive] = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        opened.extract("package/dist/mermaid.min.js", folder, filter="data")
    page = chromium.new_page()
    page.add_script_tag(path=folder / "package/dist/mermaid.min.js")
    page.evaluate(
        """() => mermaid.initialize({theme: 'default', securityLevel: 'strict',
            maxTextSize: 100000, maxEdges: 100000, startOnLoad: false})"""
    )
    return page


DRAW = r"""
async (source) => {
    let svg;
    try { ({svg} = await mermaid.render('picture', source)); }
    catch (error) { return {error: String(error)}; }
    // as JupyterLab makes an image of it: all void elements closed, then strictly XML
    svg = svg.replace(/<\s*(br|hr|img|input)\s*([^>]*?)\s*\/?>/gi, '<$1 $2 />')
    svg = svg.replaceAll('&nbsp;', '&#160;');
    const drawn = new DOMParser().parseFromString(svg, 'image/svg+xml');
    const texts = (selector) => [...drawn.querySelectorAll(selector)].map(
        (each) => each.textContent.replaceAll('\u00a0', ' ').replaceAll('\u200b', ''));
    return {
        error: drawn.querySelector('parsererror')?.textContent ?? null,
        title: texts('title').join(), description: texts('desc').join(),
        tables: texts('.label.name'), names: texts('.label.attribute-type'),
        types: texts('.label.attribute-name'), rests: texts('.label.attribute-comment'),
        keys: texts('.label.attribute-keys'),
        nodes: texts('.node .nodeLabel'), ties: texts('.edgeLabel .label'),
        foreign: [...drawn.querySelectorAll('*')].map((each) => each.tagName.toLowerCase()).filter(
            (tag) => ['script', 'a', 'img', 'i', 'b', 'em', 'strong', 'math', 'iframe'].includes(tag)),
        width: drawn.documentElement.viewBox.baseVal.width,
        height: drawn.documentElement.viewBox.baseVal.height,
    };
}
"""


def draw(page: Page, source: str) -> dict[str, Any]:
    """What is to be seen where Mermaid draws this."""
    drawn: dict[str, Any] = page.evaluate(DRAW, source)
    assert drawn["error"] is None, f"{drawn['error']}\n{source}"
    assert drawn["foreign"] == []
    return drawn


# What the pictures say

TABLES = """\
companies
  id    SERIAL       PK  NOT NULL
  name  VARCHAR(50)      NOT NULL

jobs
  id           SERIAL        PK  NOT NULL
  description  VARCHAR           NOT NULL
  title        VARCHAR(100)      NOT NULL
  company_id   INTEGER       FK  NOT NULL
  FOREIGN KEY (company_id) REFERENCES companies(id) (many to one)"""


def test_tables_of_the_database(project: str) -> None:
    starts.start(4)
    picture = show_tables()
    assert str(picture) == picture.text == TABLES
    source = picture.rich[MERMAID].removeprefix(pictures.LOOK)
    kind, title, said, diagram = source.split("\n", 3)
    assert (kind, title) == ("erDiagram", "  accTitle: The tables of the database")
    assert said.startswith("  accDescr: companies#59; id SERIAL PK NOT NULL#59; name VARCHAR(50)")
    assert diagram.splitlines()[-1] == '  t1 ||--o{ t2 : "company_id"'
    assert show_tables(of=picture).rich == picture.rich
    assert str(show_tables(of="head")) == TABLES
    assert str(show_tables("jobs")) == TABLES.split("\n\n")[1]
    starts.start(1, fresh=True)
    picture = show_tables()
    assert (str(picture), picture.rich) == ("There are no tables in the database.", {})


def test_order_of_creation_does_not_count(project: str) -> None:
    first = [
        "CREATE TABLE a (id int PRIMARY KEY, x int UNIQUE CHECK (x > 0))",
        "CREATE INDEX ON a (x)",
    ]
    second = ["CREATE TABLE b (id int REFERENCES a, x int REFERENCES a)"]
    execute(*first, *second)
    seen = show_tables()
    execute("DROP TABLE b, a", *first[:1], *second, *first[1:])
    assert show_tables().rich == seen.rich
    assert str(show_tables()) == str(seen)


MULTIPLICITIES = [  # what follows "x" in CREATE TABLE, and perhaps an index
    ("int NOT NULL REFERENCES a", "t1 ||--o{ t2", "(many to one)"),
    ("int REFERENCES a", "t1 |o--o{ t2", "(many to one or none)"),
    ("int NOT NULL UNIQUE REFERENCES a", "t1 ||--o| t2", "(at most one to one)"),
    ("int PRIMARY KEY REFERENCES a", "t1 ||--o| t2", "(at most one to one)"),
    ("int NOT NULL REFERENCES b (id)", "t2 ||--o{ t2", "(many to one)"),
    ("int NOT NULL REFERENCES a); CREATE UNIQUE INDEX ON b (x", "t1 ||--o| t2", "one to one)"),
    (
        "int NOT NULL REFERENCES a); CREATE UNIQUE INDEX ON b (x) WHERE (x > 0",
        "t1 ||--o{ t2",
        "(many to one)",
    ),
]


def test_multiplicity(project: str) -> None:
    for column, ends, words in MULTIPLICITIES:
        own = "" if "PRIMARY" in column else "id int PRIMARY KEY, "
        execute(*EMPTY, "CREATE TABLE a (id int PRIMARY KEY)", f"CREATE TABLE b ({own}x {column})")
        picture = show_tables()
        assert f'  {ends} : "x"' in picture.rich[MERMAID].splitlines()
        assert picture.text.endswith(words)


SHOWN = [
    (
        """
        CREATE TABLE a (x int, y int, z int DEFAULT 7, PRIMARY KEY (y, x), UNIQUE (x, z));
        CREATE TABLE b (p int, q int NOT NULL, FOREIGN KEY (q, p) REFERENCES a ON DELETE CASCADE);
        CREATE INDEX ON b (p, q);
        COMMENT ON TABLE b IS 'refers';
        COMMENT ON COLUMN b.q IS 'first'
        """,
        """\
a
  x       INTEGER  PK  NOT NULL
  y       INTEGER  PK  NOT NULL
  z       INTEGER      DEFAULT 7
  UNIQUE  (x, z)

b -- refers
  p      INTEGER       FK
  q      INTEGER       FK  NOT NULL -- first
  INDEX  btree (p, q)
  FOREIGN KEY (q, p) REFERENCES a(y, x) ON DELETE CASCADE (many to one or none)""",
    ),
    (
        """
        CREATE TYPE mood AS ENUM ('calm'); CREATE TYPE "Odd (type)" AS ENUM ('x');
        CREATE TABLE t (a bigserial, b timestamp(3), c timestamptz[], d numeric(5,2), e mood,
            f "Odd (type)", g char(3), h varchar(9)[], i int GENERATED ALWAYS AS IDENTITY,
            j int GENERATED BY DEFAULT AS IDENTITY, k int GENERATED ALWAYS AS (1 + 1) STORED,
            l text DEFAULT 'it''s', m interval day to second)
        """,
        """\
t
  a  BIGSERIAL                   NOT NULL
  b  TIMESTAMP(3)
  c  TIMESTAMP WITH TIME ZONE[]
  d  NUMERIC(5,2)
  e  mood
  f  "Odd (type)"
  g  CHAR(3)
  h  VARCHAR(9)[]
  i  INTEGER                     NOT NULL GENERATED ALWAYS AS IDENTITY
  j  INTEGER                     NOT NULL GENERATED BY DEFAULT AS IDENTITY
  k  INTEGER                     GENERATED ALWAYS AS ((1 + 1)) STORED
  l  TEXT                        DEFAULT 'it''s'::text
  m  interval day to second""",
    ),
]


@pytest.mark.parametrize(("statements", "text"), SHOWN)
def test_keys_rules_types_and_defaults(project: str, statements: str, text: str) -> None:
    execute(statements)
    assert str(show_tables()) == text


def test_many_tables_are_drawn_by_name_and_listed_in_full(project: str) -> None:
    execute(
        *(
            f"CREATE TABLE t{n:03} (id serial PRIMARY KEY, a int, b int, c int"
            + (f", d int REFERENCES t{n - 1:03})" if n > 60 else ")")
            for n in range(100)
        )
    )
    picture = show_tables()
    assert picture.words.startswith("100 tables with 439 lines are too much for a picture: here")
    assert picture.text.count("\n\n") == 99
    drawn = re.findall(r't\d+\["(t\d+)"\]', picture.rich[MERMAID])
    assert drawn == [f"t{n:03}" for n in range(61, 91)]  # where most relations are
    assert picture.rich[MERMAID].count(" --> ") == 29
    few = show_tables("t099", "t098")
    assert few.words == "" and "  d   INTEGER  FK" in few.text


def test_a_picture_stays_below_what_jupyterlab_accepts(project: str) -> None:
    columns = ", ".join(f"c{n} text DEFAULT '{'<' * 200}'" for n in range(20))
    execute(*(f"CREATE TABLE t{n} ({columns})" for n in range(6)))
    picture = show_tables()
    assert len(picture.rich[MERMAID]) < 100_000
    assert picture.words.startswith("6 tables with 120 lines are too much for a picture")


# Models and revisions


def test_models_as_this_python_knows_them_and_as_their_file_says(project: str) -> None:
    class Base(DeclarativeBase):
        pass

    class Company(Base):
        __tablename__ = "companies"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[str]
        name: Mapped[str]

    starts.start(2)
    known = show_tables(of=Base)
    assert str(known) == str(show_tables(of=Base.metadata)) == str(show_tables(of=Company))
    assert str(known) == str(show_tables("companies", of="models"))
    assert known.text.splitlines()[2] == "  user_id  VARCHAR      NOT NULL"
    file = Path("jobboard/models.py")
    file.write_text(file.read_text().replace("user_id: Mapped[str]", "owner: Mapped[str | None]"))
    assert show_changes(Base, "models").words.splitlines()[:3] == [
        "Since then, in the models:",
        "  companies loses user_id VARCHAR NOT NULL",
        "  companies gains owner VARCHAR",
    ]


def test_metadata(project: str) -> None:
    metadata = sa.MetaData()
    assert str(show_tables(of=metadata)) == "There are no tables in the models."
    sa.Table("a", metadata, sa.Column("x", sa.ForeignKey("nowhere.id")))
    with pytest.raises(WorkbookError, match=r"^The tables of the models cannot be made .*nowhere"):
        show_tables(of=metadata)


# Changes


NAME = "VARCHAR(50) NOT NULL"
CHANGES = [
    ("CREATE TABLE c (x int, y int)", "c is new, with x, y"),
    ("CREATE TABLE c ()", "c is new, with no columns"),
    ("DROP TABLE b", "b is gone"),
    ("ALTER TABLE a ADD user_id varchar NOT NULL", "a gains user_id VARCHAR NOT NULL"),
    ("ALTER TABLE a DROP name", f"a loses name {NAME}"),
    ("ALTER TABLE a ALTER name TYPE text", f"a.name becomes TEXT NOT NULL (was {NAME})"),
    ("ALTER TABLE a ALTER name DROP NOT NULL", f"a.name becomes VARCHAR(50) (was {NAME})"),
    ("ALTER TABLE b ALTER x SET DEFAULT 5", "b.x becomes INTEGER DEFAULT 5 (was INTEGER)"),
    ("COMMENT ON COLUMN b.x IS 'why'", "b.x becomes INTEGER -- why (was INTEGER)"),
    ("ALTER TABLE b ADD UNIQUE (x)", "b gains UNIQUE (x)"),
    ("ALTER TABLE b ADD CHECK (x > 1)", "b gains CHECK ((x > 1))"),
    ("ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a", "b gains FOREIGN KEY (x) REFERENCES a(id)"),
    ("ALTER TABLE a DROP CONSTRAINT a_pkey CASCADE", "a loses PRIMARY KEY (id)"),
    ("CREATE INDEX ON b (x)", "b gains INDEX btree (x)"),
    ("CREATE UNIQUE INDEX ON b (x)", "b gains UNIQUE INDEX btree (x)"),
    ("CREATE TYPE mood AS ENUM ('calm', 'wild')", "the type mood is new: calm, wild"),
    ("CREATE VIEW v AS SELECT 1", "the view v is new"),
    ("DROP VIEW w", "the view w is gone"),
    ("ALTER TABLE b RENAME CONSTRAINT positive TO other", None),
]


def test_changes_in_words(project: str) -> None:
    for statement, words in CHANGES:
        execute(
            *EMPTY,
            "CREATE TABLE a (id int PRIMARY KEY, name varchar(50) NOT NULL)",
            "CREATE TABLE b (x int, y int CONSTRAINT positive CHECK (y > 0))",
            "CREATE VIEW w AS SELECT 1",
        )
        before = show_tables()
        assert str(show_changes(before)) == "Since then, in the database: nothing changed."
        execute(statement)
        picture = show_changes(before)
        told = f":\n  {words}" if words else ": nothing changed."
        assert picture.words == f"Since then, in the database{told}"
        assert bool(picture.rich) == bool(words and not re.search("TYPE mood|VIEW", statement))


def test_changes_are_marked_by_signs_and_words(project: str) -> None:
    execute(
        "CREATE TABLE a (id int PRIMARY KEY, name varchar(50))",
        "CREATE TABLE b (x int, y int)",
        "CREATE TABLE c (x int)",
        "CREATE TABLE same (x int)",
    )
    before = show_tables()
    execute(
        "ALTER TABLE b ADD z int, DROP y, ALTER x TYPE bigint",
        "ALTER TABLE b ADD FOREIGN KEY (z) REFERENCES a",
        "DROP TABLE c",
        "CREATE TABLE d (x int)",
    )
    picture = show_changes(before)
    assert (
        picture.text
        == """\
a
  id    INTEGER      PK  NOT NULL
  name  VARCHAR(50)

~ b (changed)
  ~  x  BIGINT       (was INTEGER)
  MINUS  y  INTEGER
  +  z  INTEGER  FK
  + FOREIGN KEY (z) REFERENCES a(id) (many to one or none)

MINUS c (gone)
  x  INTEGER

+ d (new)
  x  INTEGER""".replace("MINUS", look.GONE)
    )
    lines = picture.rich[MERMAID].splitlines()
    assert '  t2["#126; b (changed)"]:::changed {' in lines
    assert '    `#126; x` BIGINT "(was INTEGER)"' in lines
    assert f"    `{look.GONE} y` INTEGER" in lines
    assert "    `#43; z` INTEGER FK" in lines
    assert '  t1 |o--o{ t2 : "#43; z"' in lines
    assert [line.split()[1] for line in lines if "classDef" in line] == ["new", "gone", "changed"]


def test_changes_between_revisions_and_to_the_models(project: str) -> None:
    starts.start(4)
    assert show_changes("base", "head").words == (
        "From base to head:\n  companies is new, with id, name\n"
        "  jobs is new, with id, description, title, company_id"
    )
    assert show_changes("head").words == "From head to the database: nothing changed."
    assert show_changes("database", "models").words == (
        "From the database to the models:\n"
        "  companies.name becomes VARCHAR NOT NULL (was VARCHAR(50) NOT NULL)\n"
        "  companies gains user_id VARCHAR NOT NULL\n"
        "  jobs.title becomes VARCHAR NOT NULL (was VARCHAR(100) NOT NULL)"
    )
    assert show_changes("1f3a", INIT).words.endswith(": nothing changed.")


# Drift


def test_drift(project: str) -> None:
    starts.start(4)
    picture = show_drift("companies")
    assert (
        str(picture)
        == """\
companies: they differ in user_id, name.

   companies         the models say    the migrations say    the database says
   id                SERIAL NOT NULL   SERIAL NOT NULL       SERIAL NOT NULL
≠  user_id           VARCHAR NOT NULL  —                     —
≠  name              VARCHAR NOT NULL  VARCHAR(50) NOT NULL  VARCHAR(50) NOT NULL
   PRIMARY KEY (id)  yes               yes                   yes"""
    )
    html = re.sub(r"<(\w+) style='text-align: left'>", r"<\1>", picture.rich["text/html"])
    assert (
        "<td><b>≠</b></td><td><b>user_id</b></td><td><b>VARCHAR NOT NULL</b></td><td><b>—</b></td>"
        in html
    )
    assert "<tr><td></td><td>id</td><td>SERIAL NOT NULL</td>" in html
    execute(
        "ALTER TABLE jobs DROP CONSTRAINT jobs_company_id_fkey",
        "ALTER TABLE jobs ADD FOREIGN KEY (company_id) REFERENCES companies ON DELETE CASCADE",
    )
    apart = show_drift("jobs").words
    assert apart.startswith("jobs: they differ in title, FOREIGN KEY (company_id) REFERENCES comp")


def test_no_drift(project: str) -> None:
    starts.start(4)
    file = Path("jobboard/models.py")
    long = "mapped_column(sa.String(100))"
    text = file.read_text().replace("title: Mapped[str]", f"title: Mapped[str] = {long}")
    file.write_text(f"import sqlalchemy as sa\n{text}")
    assert show_drift("jobs").words == "jobs: all three agree."
    execute("CREATE TABLE by_hand (x int)")
    assert str(show_drift("by_hand")).splitlines()[-1].split() == ["≠", "x", "—", "—", "INTEGER"]


# History


def revision(
    name: str, down: Any, message: str, upgrade: str = "pass", depends_on: Any = None
) -> str:
    """The text of a revision file."""
    return (
        f"{f'{message}{chr(10)}{chr(10)}Create Date: 2026-01-01'!r}\n"
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = {name!r}\ndown_revision = {down!r}\ndepends_on = {depends_on!r}\n"
        f"def upgrade():\n    {upgrade}\ndef downgrade():\n    pass\n"
    )


def only(*revisions: tuple[str, Any, str, Any]) -> None:
    """Have these revisions and no others."""
    folder = Path("alembic/versions")
    for each in folder.glob("*.py"):
        each.unlink()
    for name, down, message, depends_on in revisions:
        text = revision(name, down, message, depends_on=depends_on)
        (folder / f"{name}_.py").write_text(text, encoding="utf-8")


def stamp(*ids: str) -> None:
    execute(
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)",
        "DELETE FROM alembic_version",
        *(f"INSERT INTO alembic_version VALUES ('{each}')" for each in ids),
    )


GRAPH: list[tuple[str, Any, str, Any]] = [  # id, what it stands on, message, depends_on
    ("a", None, "init", None),
    ("b", "a", "left", None),
    ("c", "b", "left two", None),
    ("d", "a", "right", None),
    ("e", ("c", "d"), "merge", None),
    ("f", None, "other", "b"),
    ("g", ("e", "f"), "both", None),
]


def test_history_with_branches(project: str) -> None:
    starts.start(3)
    only(*GRAPH)
    stamp("c")
    picture = show_history()
    assert (
        str(picture)
        == """\
○       g     both (head)
├─╮
○ │     e     merge
├─┼─╮
│ │ ○   d     right
│ ○ │   f     other
● │ │   c     left two  <- the database is here
├─╯ │
●   │   b     left
├───╯
●       a     init
●       base

● applied   ○ not applied"""
    )
    source = picture.rich[MERMAID].removeprefix(pictures.LOOK)
    lines = [line.strip() for line in source.splitlines()]
    assert lines[0] == "flowchart BT"
    assert lines[3:-3] == [
        'base(["base"])',
        'r1["init<br/>a, applied"]:::applied',
        'r2["left<br/>b, applied"]:::applied',
        'r3["left two<br/>c, applied<br/>the database is here"]:::applied',
        'r4["other<br/>f, not applied"]:::not',
        'r5["right<br/>d, not applied"]:::not',
        'r6["merge<br/>e, not applied"]:::not',
        'r7["both (head)<br/>g, not applied"]:::not',
        "base --> r1",
        "r1 --> r2",
        "r2 --> r3",
        "r2 -. depends on .-> r4",
        "r1 --> r5",
        "r3 --> r6",
        "r5 --> r6",
        "r6 --> r7",
        "r4 --> r7",
        "class r3 here",
    ]
    newest = show_history(newest=2)
    assert (
        str(newest)
        == """\
○     g  both (head)
├─╮
○ │   e  merge
⋮        earlier revisions

● applied   ○ not applied"""
    )
    assert 'base(["earlier revisions"])' in newest.rich[MERMAID]
    stamp("c", "d")
    assert str(show_history()).count("<- the database is here") == 2
    assert "class r3,r5 here" in show_history().rich[MERMAID]


def test_ids_decide_nothing(project: str) -> None:
    starts.start(3)
    seen = set()
    for ids in ("abcdefg", "gfedcba", "dgaebfc"):
        new = dict(zip("abcdefg", (f"{each}00" for each in ids), strict=True))
        text = re.sub(r"'(\w)'", lambda found, new=new: repr(new[found[1]]), repr(GRAPH))  # type: ignore[misc]
        only(*ast.literal_eval(text))
        stamp(new["c"])
        picture = show_history()
        seen.add(re.sub(r"\b\w00\b", "REVISION", f"{picture}\n{picture.rich[MERMAID]}"))
    assert len(seen) == 1


def test_history_without_the_files(project: str) -> None:
    starts.start(4)
    stamp("f00d")
    picture = show_history()
    assert picture.words == (
        'The database is at "f00d", and no file in alembic/versions has that id: bring that file back.'
    )
    assert "? perhaps applied" in picture.text
    lost = 'lost1["f00d<br/>no file has this id<br/>the database is here"]'
    assert lost in picture.rich[MERMAID]
    stamp()
    only()
    assert str(show_history()) == (
        'There is no revision yet: `alembic revision -m "..."` makes the first.'
    )


def test_a_long_history_is_drawn_around_the_database(project: str) -> None:
    starts.start(3)
    ids: list[Any] = [None, *(f"id{n:03}" for n in range(300))]
    only(*((ids[n + 1], ids[n], f"step {n}", None) for n in range(300)))
    for at, first, last in ((None, 0, 19), (0, 0, 19), (150, 140, 159), (299, 280, 299)):
        stamp(*([f"id{at:03}"] if at is not None else []))
        picture = show_history()
        assert picture.words.startswith(
            "300 revisions are too many to draw: here are the 20 around"
        )
        assert picture.text.count("\n") == 300 + 2
        source = picture.rich[MERMAID]
        drawn = [int(each) for each in re.findall(r"<br/>id(\d+)", source)]
        assert drawn == [*range(first, last + 1)]
        below = "earlier revisions" if first else "base"
        assert f'base(["{below}{"<br/>the database is here" if at is None else ""}"])' in source
        assert ("later([" in source) == (last < 299)
        assert f"class {'base' if at is None else f'r{at + 1}'} here" in source


# What a learner meets


def test_no_look_leaves_a_connection_open(project: str) -> None:
    starts.start(4)
    show_tables()
    show_history()
    show_changes("base")
    show_drift("jobs")
    assert alembic_sees("title:", "name:") == ["add_column", "add_column", "remove_column"]
    with databases.engine().connect() as connection:
        others = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        assert others.scalar() == 0


MODELS_PY, REVISION_PY = "jobboard/models.py", "alembic/versions/bad_.py"
NO_ENVIRONMENT = "There is no Alembic environment here: `alembic in*"
BAD_MODELS, BAD_REVISION = "The models do not work: ", "The files in alembic/versions do not work: "
ADDS_TO_JOB = revision("two", INIT, "broken", "op.add_column('job', sa.Column('x', sa.Integer))")
# The chapter, a file with its text, what is asked for, and the one line that comes of it.
REFUSED: list[tuple[int, str, str, Callable[[], object], str]] = [
    *(
        (2, MODELS_PY, text, lambda: show_tables(of="models"), f"{BAD_MODELS}{line}")
        for text, line in (
            ("import nothing_such", "ModuleNotFoundError: No module named 'nothing_such'"),
            ("class Company(", "SyntaxError: *"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("import warnings; warnings.warn('x'); raise ValueError('a\\nb')", "ValueError: a*"),
        )
    ),
    *(
        (3, REVISION_PY, text, show_history, f"{BAD_REVISION}{line}")
        for text, line in (
            ("x =", "SyntaxError: invalid syntax (bad_.py, line 1)*"),
            ("raise SystemExit(3)", "SystemExit: 3*"),
            ("revision, down_revision = 'q', 'gone'", "UserWarning: Revision gone referenced*"),
            ("revision, down_revision = 'q', 'q'", "LoopDetected: Self-loop is detected in rev*"),
            ("revision = 'q'", "AttributeError: module 'bad__py' has no attribute 'down_revis*"),
            (f"revision, down_revision = '{INIT}', None", "UserWarning: Revision*"),
        )
    ),
    (3, REVISION_PY, ADDS_TO_JOB, lambda: show_changes("base", "head"), "The tables of head *: Prog"
        '*"job" does not exist'),
    (2, "", "", show_history, NO_ENVIRONMENT),
    (2, "", "", lambda: show_changes("head"), NO_ENVIRONMENT),
    (2, "", "", lambda: show_drift("jobs"), NO_ENVIRONMENT),
    (2, "", "", lambda: alembic_sees("id", "id"), "*cannot be compared*jobs* does not exist"),
    (4, "", "", lambda: alembic_sees("nope", ""), "There is no 'nope' in jobboard/models.py*"),
    (4, "", "", lambda: alembic_sees("[str]", "["), "*cannot be compared: SyntaxError: *"),
    (4, "", "", lambda: show_changes("nope"), "Can't locate revision identified by 'nope'."
        " `alembic history` lists the rev*"),
    (4, "", "", lambda: show_changes(7), "Whose tables? Pass*"),
    (4, "", "", lambda: show_changes(None), "Whose tables? Pass*"),
    (4, "", "", lambda: show_changes(show_history()), "Whose tables? Pass*"),
    (4, "", "", lambda: show_tables(sa.MetaData()), "*show_tables(of=Base)*"),  # type: ignore[arg-type]
    (4, "", "", lambda: show_drift("nope"), 'There is no table "nope" in the models, the migr*'),
    *(
        (4, "", "", lambda name=name: show_tables(name), f'There is no table "{name}" in the'
            " database. There is companies, jobs.")
        for name in ("nope", "Jobs", "jobs; DROP TABLE jobs")
    ),
]  # fmt: skip


@pytest.mark.parametrize("chapter", [2, 3, 4])
def test_what_cannot_be_shown_is_one_line(project: str, chapter: int) -> None:
    starts.start(chapter)
    for at, file, text, ask, line in REFUSED:
        if at == chapter:
            if file:
                kept = Path(file).read_text() if Path(file).exists() else None
                Path(file).write_text(text)
            with pytest.raises(WorkbookError) as caught:
                ask()
            assert fnmatch.fnmatchcase(str(caught.value), line), (caught.value, line)
            if file:
                Path(file).write_text(kept) if kept else Path(file).unlink()


def test_no_server(project: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts.start(4)
    monkeypatch.setenv("PGHOST", str(tmp_path))
    functions: list[Callable[[], Any]] = [show_tables, show_history, lambda: show_changes("base")]
    for function in functions:
        with pytest.raises(WorkbookError, match=r"^PostgreSQL does not let us in"):
            function()


def test_jupyter_gets_words_and_picture(project: str) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    try:
        before = show_tables()
        execute("CREATE TABLE a (x int)")
        with capture_output() as captured:
            show_changes(before)._ipython_display_()
    finally:
        InteractiveShell.clear_instance()
    assert captured.stdout == "Since then, in the database:\n  a is new, with x\n"
    [output] = captured.outputs
    assert output.data["text/plain"] == "+ a (new)\n  x  INTEGER"
    assert "\nerDiagram\n" in output.data[MERMAID]


BOXES = """
async ([source, selector]) => {
    document.body.innerHTML = (await mermaid.render('picture', source)).svg;
    return [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
}
"""


def test_a_label_leaves_the_ends_of_its_line_in_sight(project: str, page: Page) -> None:
    starts.start(4)
    source = show_tables().rich[MERMAID]
    [line] = page.evaluate(BOXES, [source, ".relationshipLine"])
    [label] = page.evaluate(BOXES, [source, ".edgeLabel foreignObject"])
    for room in (label["left"] - line["left"], line["right"] - label["right"]):
        assert room >= 36  # a circle and a crow's foot


def test_what_is_said_of_a_revision_stays_in_its_line(project: str, page: Page) -> None:
    starts.start(3)
    source = show_history().rich[MERMAID]
    source = source.replace("init", "create a table of companies")
    boxes = page.evaluate(BOXES, [source, ".node .nodeLabel p"])
    assert [round(each["height"] / 24) for each in boxes] == [2, 2]


# Pictures that keep up


@pytest.fixture
def cell(project: str) -> Iterator[Callable[..., list[str]]]:
    """Runs a cell in a notebook of chapter 5: each picture that it draws or draws anew, as text."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    starts.start(5)
    shell = InteractiveShell.instance()
    shell.user_ns.update(show_history=show_history, show_tables=show_tables, execute=execute)

    def run(source: str) -> list[str]:
        with capture_output() as captured:
            assert shell.run_cell(source).success  # type: ignore[no-untyped-call]
        assert captured.stdout == captured.stderr == ""
        return [each.data["text/plain"] for each in captured.outputs]

    yield run
    InteractiveShell.clear_instance()
    picture._shown.clear()


LIVE = "x = show_history(live=True); x._ipython_display_()"


def test_a_live_history_keeps_up(cell: Callable[..., list[str]]) -> None:
    assert "init (head)  <- the database" in cell(LIVE)[0]
    assert cell("pass") == []
    assert cell("execute('CREATE TABLE a ()')") == []  # which no history shows
    [below] = cell("execute('DELETE FROM alembic_version')")
    assert re.search("base +<- the database", below)
    text = revision("b1", INIT, "second")
    Path("alembic/versions/b1_.py").write_text(text, encoding="utf-8")
    assert "second (head)" in cell("pass")[0]
    assert cell("pass") == []


def test_a_cell_that_is_run_again_is_followed_alone(cell: Callable[..., list[str]]) -> None:
    cell(LIVE), cell(LIVE)
    assert len(cell("execute('DELETE FROM alembic_version')")) == 1


def test_live_tables_keep_up(cell: Callable[..., list[str]]) -> None:
    for live in ("show_tables(live=True)", "show_tables('jobs', live=True)", LIVE):
        cell(f"x = {live.removeprefix('x = ')}; x._ipython_display_()")
    whole, jobs = cell("execute('ALTER TABLE jobs ADD COLUMN place text')")
    assert jobs in whole and "place        TEXT" in jobs
    execute("DROP TABLE jobs")
    assert cell("pass") == [whole[: whole.index("\n\njobs")]]


def test_a_live_picture_is_silent_where_it_cannot_look(
    cell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cell(LIVE)
    file = Path("alembic/versions") / f"{INIT}_init.py"
    text = file.read_text()
    file.write_text("not Python")
    assert cell("pass") == []
    with databases.engine().begin() as connection:
        connection.exec_driver_sql("LOCK TABLE alembic_version")
        file.write_text(text + "\n")
        assert cell("pass") == []
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with monkeypatch.context() as patch:
        patch.setenv("PGHOST", str(tmp_path))
        assert cell("pass") == []
    assert re.search("base +<- the database", cell("pass")[0])


# No name breaks out

# fmt: off
NASTY = [
    "user id", "__init__", "_x_", "a*b*c", "**b**", "`tick`", '"', '""', "'", "PK", "fk", "end",
    "<script>alert(1)</script>", "<b>bold</b>", "<br>", "</div>", "&lt;", "&amp;", "#35;",
    "#quot;", "$$x^2$$", "fa:fa-user", "a;b", "%%{init: {'theme': 'dark'}}%%", "%% remark", "---",
    "title: x", "direction TB", "x direction\tLR y", "erDiagram", "accTitle: x", "click r1 href",
    "subgraph", "1. one", "- item", "# head", "> quote", "[x](http://example.com)", "![x](y)",
    "www.example.com", "~T~", "a~b~c", "ﬂ°°35¶ß", "ﬂ°", "style x:#1;", "classDef x:#1;", ":::x",
    "{", "}", "]", "|", "||", "\n", "a\nb", "a\r\n\tb", "\\n", "\x01", "\x1b[31m", "\x7f", "\x85",
    "\xa0", "\u2028", "\ufeff", "\u202egnp", "a\u200bb", "a\u200db", "\U0001f469\u200d\U0001f4bb",
    "😀", "日本語", "e\u0301", "ß", "é", "İ", "ﬁ", "\ue000", " lead", "trail ", "a  b", " ", "x" * 63,
    "é" * 31, "select", "Order", "1", "1e5", "0", "%s", "%", "a" * 60 + "!",
]
# fmt: on
def clip(text: str) -> str:
    """A name as PostgreSQL keeps it: 63 bytes."""
    return text.encode()[:63].decode(errors="ignore")


ALL = sorted({*map(clip, NASTY)})
# Every character of the first 34 blocks, as PostgreSQL keeps them.
COMMON = [clip("".join(map(chr, range(at, at + 21)))) for at in range(1, 0x2100, 21)]


@pytest.mark.parametrize(
    ("tables", "kind"),
    [
        ([("t", ALL, "x")], "it's"),
        ([(each, [each], each) for each in ALL[:20]], "a b"),
        *(([("t", COMMON[at::4], COMMON[at])], "K") for at in range(4)),
    ],
)
def test_any_name_type_and_comment_is_shown_as_it_is(
    page: Page, project: str, tables: list[tuple[str, list[str], str]], kind: str
) -> None:
    name, text = sql.Identifier, sql.Literal
    own = clip(f"T{kind}")
    with databases.engine().connect() as connection:
        cursor = connection.connection.cursor()

        def run(query: str, *parts: sql.Composable) -> None:
            cursor.execute(sql.SQL(query).format(*parts))

        run("CREATE TYPE {} AS ENUM ({})", name(own), text(kind))
        for table, columns, comment in tables:
            at, first = name(table), name(columns[0])
            run("CREATE TABLE {} ({} int UNIQUE REFERENCES {} ({}))", at, first, at, first)
            for column in columns[1:]:
                run("ALTER TABLE {} ADD {} {} DEFAULT {}", at, name(column), name(own), text(kind))
            run("COMMENT ON COLUMN {}.{} IS {}", at, first, text(comment))
        state = look.read(connection, "the database")
        connection.rollback()
    picture = show_tables(of=Picture("", state=state))
    drawn = draw(page, picture.rich[MERMAID])
    ordered = sorted(tables, key=lambda table: table[0].encode())
    assert drawn["tables"] == [visible(table) for table, _, _ in ordered]
    assert drawn["names"] == [visible(column) for _, columns, _ in ordered for column in columns]
    assert {each for each in drawn["types"] if each != "INTEGER"} <= {
        visible(own),
        visible('"{}"'.format(own.replace('"', '""'))),
    }
    for _, columns, comment in ordered:
        assert f"-- {visible(comment)}" in drawn["rests"]
        assert visible(columns[0]) in drawn["ties"]
    for table, columns, comment in tables:
        for each in (table, *columns, comment):
            assert visible(each).strip() in picture.text
    html = pictures._draw_drift(ordered[0][0], [state] * 3).rich["text/html"]
    cells = page.evaluate(
        """html => {
            document.body.innerHTML = html;
            return [...document.querySelectorAll('tr')].map(row => row.cells[1]).map(
                cell => cell.querySelector(':not(b)') ? 'an element' : cell.textContent);
        }""",
        html,
    )
    assert cells[: len(ordered[0][1]) + 1] == [
        visible(each) for each in (ordered[0][0], *ordered[0][1])
    ]


@pytest.mark.parametrize("names", [ALL, COMMON], ids=["nasty", "characters"])
def test_any_message_is_shown_as_it_is(page: Page, names: list[str]) -> None:
    graph: dict[str, history.Revision] = {}
    for each in names:
        graph[each] = history.Revision(each, tuple(graph)[-1:], (), each, False, ("", "", ""))
    signs = {each: ("●", "applied") for each in graph}
    source = history._flowchart(graph, list(graph), {names[-1], "lost "}, signs)
    drawn = draw(page, pictures.titled(source, names[0], visible(names[0])))
    said = [f"{visible(each) * 2}, applied" for each in names]
    said[-1] += "the database is here"
    said += ["base", "lost no file has this idthe database is here"]
    assert sorted(drawn["nodes"]) == sorted(said)
    assert drawn["title"] == visible(names[0])
    assert drawn["description"].split() == visible(names[0]).split()


def test_a_table_without_columns_is_shown_by_its_name(page: Page) -> None:
    boxes = {each: pictures.Box("", each, []) for each in ALL}
    assert draw(page, pictures._er_diagram(boxes, {}))["tables"] == [visible(each) for each in ALL]
    assert sorted(draw(page, pictures._name_chart(boxes, {}))["nodes"]) == sorted(map(visible, ALL))
