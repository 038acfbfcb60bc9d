"""14.3  The inherited project, as a whole."""

from workbook.exercises import Answer, cells
from workbook.exercises.inherited import Inherited, look

VERSIONS = "alembic/versions"
DEADLINE = f"""
%%writerevision {VERSIONS}/*_jobs_have_a_deadline.py
def upgrade() -> None:
    op.add_column("jobs", sa.Column("deadline", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "deadline")
""".strip()
KIND = f"""
%%writerevision {VERSIONS}/*_jobs_have_a_kind.py
def downgrade() -> None:
    op.drop_column("jobs", "kind")
    op.execute("DROP TYPE job_kind")
""".strip()
CONTACT = f"""
%%writerevision {VERSIONS}/*_every_company_has_a_contact.py
def upgrade() -> None:
    op.execute("UPDATE companies SET contact = 'desk@harbour.example' WHERE contact IS NULL")
    op.alter_column("companies", "contact", existing_type=sa.String(120), nullable=False)
""".strip()
CITY = f"""
%%writerevision {VERSIONS}/*_a_place_is_called_a_city.py
def upgrade() -> None:
    op.alter_column("jobs", "place", new_column_name="city")


def downgrade() -> None:
    op.alter_column("jobs", "city", new_column_name="place")
""".strip()
PAY = f"""
%%writerevision {VERSIONS}/*_pay_in_cents.py
def downgrade() -> None:
    op.add_column("jobs", sa.Column("pay", sa.Integer(), nullable=True))
    op.execute("UPDATE jobs SET pay = pay_cents / 100")
    op.drop_column("jobs", "pay_cents")
""".strip()
INDEX = f"""
%%writerevision {VERSIONS}/*_find_applications_by_job.py
def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_applications_job_id", "applications", ["job_id"], postgresql_concurrently=True
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_applications_job_id", table_name="applications", postgresql_concurrently=True
        )
""".strip()
PENDING = (KIND, CONTACT, CITY, PAY, INDEX)
MERGE = '!alembic merge heads -m "one line again" --rev-id 27c5e80b9f41'
NEW = '!alembic revision -m "jobs can be remote" --rev-id b8e43d70a15f'
REMOTE = f"""
%%writerevision {VERSIONS}/*_jobs_can_be_remote.py
def upgrade() -> None:
    op.add_column("jobs", sa.Column("remote", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("jobs", "remote")
""".strip()
TRUE_ROW = "!alembic stamp 5b21d9c07e46"
OLD_TYPE = "%sql DROP TYPE job_kind"
PATIENCE = """
from pathlib import Path

env, pool = Path("alembic/env.py"), "poolclass=pool.NullPool,"
patience = ' connect_args={"options": "-c lock_timeout=300ms"},'
if patience not in env.read_text():
    env.write_text(env.read_text().replace(pool, pool + patience))
""".strip()
DAY = """
import time

from workbook import traffic

with traffic("jobs", "title", report=2) as day:
    for attempt in range(4):
        !alembic upgrade head
        time.sleep(1)
""".strip()
CHECK = 'check("14.3", day)'
STEPS = (DEADLINE, *PENDING, MERGE, NEW, REMOTE, TRUE_ROW, OLD_TYPE, PATIENCE, DAY)

EXERCISE = Inherited(
    look=look,
    shown="""
# your commands; the upgrade belongs in here, where people are at work
from workbook import traffic

with traffic("jobs", "title", report=2) as day:
    pass
""".strip(),
    done="\n\n".join(STEPS),
    steps=(*STEPS, CHECK),
    task="put an inherited project in order, while people use it",
    hints=(
        "Compare first: the files with the server, the server with a new machine, the models with"
        " both. Write down what differs before you change anything.",
        "What has run stays in the files as it ran. What has not run anywhere is yours to rewrite:"
        " take these files one by one, and ask of each how it goes with rows, whether the way back"
        " brings everything back, and who waits for it.",
        "alembic_version has to be true before the upgrade: stamp what the tables really are.",
        "In traffic, a migration that waits for a lock holds up everybody who comes after it. Give up"
        " soon, and try again: lock_timeout, and a loop.",
    ),
    why="What ran on the server stays in the files as it ran, and what was missing comes as a"
    " revision of its own. The pending revisions, which nobody has applied, are put right in place."
    " The row is stamped with what the tables are, and the upgrade gives up soon and tries again.",
    passed="You have taken over a project that somebody left, and nobody who uses it has noticed.",
)

REMOTE_BY_HAND = "%sql ALTER TABLE jobs ADD remote boolean NOT NULL DEFAULT false"
WEBSITE_BY_HAND = "%sql ALTER TABLE companies ADD website varchar(200)"
UP = "!alembic upgrade head"
BEFORE_DAY = (DEADLINE, *PENDING, MERGE, NEW, REMOTE, TRUE_ROW, OLD_TYPE)


def alone(number: int, *typed: str) -> Answer:
    """One of the eight put right, and nothing else."""
    left = ", ".join(str(each) for each in range(1, 9) if each != number)
    return cells(
        f"{number} alone", *typed, says=f"Of the eight things: done {number}; left {left}."
    )


def but(name: str, says: str, *instead: str, without: tuple[str, ...] = ()) -> Answer:
    """All of the solution but for some of its cells, with others before the row is stamped."""
    typed = [each for each in BEFORE_DAY if each not in without]
    typed[-2:-2] = instead
    return cells(name, *typed, UP, CHECK.replace(", day", ""), says=says)


def without(source: str, old: str, new: str) -> str:
    """A cell with something else in it."""
    assert old in source
    return source.replace(old, new)


GONE = f"""
from pathlib import Path

for theirs in ("84c7f25a1eb9", "f1d60a3b97c8"):
    for path in Path("{VERSIONS}").glob(f"{{theirs}}_*"):
        path.unlink()
for path in Path("{VERSIONS}").glob("27c5e80b9f41_*"):
    path.write_text(path.read_text().replace("('3f98b60e2d5a', 'f1d60a3b97c8')", "'3f98b60e2d5a'"))
""".strip()
BROKEN = f"""
from pathlib import Path

Path("{VERSIONS}/d27b4a91f0c3_jobs_have_a_kind.py").write_text("def upgrade(:")
""".strip()
BELOW = f"""
from pathlib import Path

Path("{VERSIONS}/5b21d9c07e46_jobs_have_a_deadline.py").unlink()
""".strip()
OTHER_MODELS = """
from pathlib import Path

models = Path("jobboard/models.py")
models.write_text(models.read_text().replace("    remote:", "    # remote:"))
""".strip()
WITHOUT = "c.contact IS NULL"
GO = (
    "DELETE FROM applications a USING jobs j, companies c WHERE a.job_id = j.id"
    f" AND j.company_id = c.id AND {WITHOUT};"
    f" DELETE FROM jobs j USING companies c WHERE j.company_id = c.id AND {WITHOUT};"
    " DELETE FROM companies"
)
WRONG = [
    cells("nothing", says="Not attempted yet"),
    alone(1, MERGE),
    alone(2, TRUE_ROW),
    alone(3, REMOTE_BY_HAND),
    alone(4, KIND, OLD_TYPE),
    alone(5, CONTACT),
    alone(6, PAY),
    alone(7, CITY),
    alone(8, INDEX),
    but("all right, and nobody watched", "Meanwhile: nobody has watched."),
    cells(
        "without patience",
        *BEFORE_DAY,
        DAY,
        CHECK,
        says="Meanwhile: somebody waited for",
    ),
    cells(
        "a traffic with no migration",
        *BEFORE_DAY,
        UP,
        without(DAY, "upgrade head", "heads"),
        CHECK,
        says="Meanwhile: jobs.kind was there before they came.",
    ),
    but("a colleague's line is thrown away", "made worse 1, 6, 8", GONE, without=(PAY, INDEX)),
    cells("stamped to the heads", "!alembic stamp heads", says="made worse 2"),
    cells("the applications are dropped", "%sql DROP TABLE applications", says="made worse 2, 8."),
    cells(
        "all that was there is dropped",
        "%sql DROP TABLE applications, jobs, companies, alembic_version",
        says="left 1, 3, 4; made worse 2, 5, 6, 7, 8.",
    ),
    cells("a file is not Python", BROKEN, says="Alembic cannot read the revisions: SyntaxError"),
    cells(
        "a file is gone from the middle", BELOW, says="Alembic cannot read the revisions: KeyError"
    ),
    cells(
        "no row any more",
        "%sql DELETE FROM alembic_version",
        says="left 1, 3, 4, 5, 6, 7, 8; made worse 2.",
    ),
    cells(
        "a row that no file explains",
        "%sql UPDATE alembic_version SET version_num = 'f00'",
        says="made worse 2",
    ),
    but("the draft is applied", "made worse 7", without=(CITY,)),
    but(
        "the old type is taken for the new one",
        "made worse 4",
        without(
            KIND,
            "def downgrade",
            """def upgrade() -> None:
    kind = sa.Enum("full", "part", "freelance", name="job_kind")
    kind.create(op.get_bind(), checkfirst=True)
    op.add_column("jobs", sa.Column("kind", kind, server_default="full", nullable=False))


def downgrade""",
        ),
        without=(OLD_TYPE,),
    ),
    but(
        "no contact is an empty contact",
        "5  left: Companies without a contact get ''",
        without(CONTACT, "desk@harbour.example", ""),
    ),
    but(
        "companies without a contact go",
        "made worse 5, 6, 7, 8.",
        CONTACT.replace(
            "UPDATE companies SET contact = 'desk@harbour.example'",
            GO,
        ),
    ),
    but("everybody gets the desk", "made worse 5", without(CONTACT, " WHERE contact IS NULL", "")),
    but("the rule is given up", "5  left", without(CONTACT, "nullable=False", "nullable=True")),
    but("the pay is halved on the way back", "6  left", without(PAY, "/ 100", "/ 200")),
    but(
        "no way back for the pay",
        "6  left",
        PAY.partition("def ")[0] + "def downgrade() -> None:\n    raise NotImplementedError\n",
    ),
    but(
        "places are lost on the way back",
        "7  left",
        without(
            CITY,
            'op.alter_column("jobs", "city", new_column_name="place")',
            'op.drop_column("jobs", "city")\n    op.add_column("jobs", sa.Column("place", sa.String(80)))',
        ),
    ),
    but(
        "the index is given up",
        "made worse 8",
        INDEX.partition("def ")[0]
        + "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    ),
    but(
        "a default that rewrites the table",
        "8  left",
        without(
            REMOTE,
            "def upgrade() -> None:\n",
            'def upgrade() -> None:\n    op.execute("ALTER TABLE applications ALTER email TYPE varchar(60)")\n',
        ),
    ),
    cells(
        "further back than needed, and a field with what was typed is empty",
        *BEFORE_DAY,
        "!alembic downgrade 0c84e1f7a9d2",
        UP,
        CHECK.replace(", day", ""),
        says="On the server, 120 jobs have another deadline",
    ),
    but("what was sent is overwritten", "made worse 8", "%sql UPDATE applications SET email = ''"),
    but(
        "no pay becomes a pay of nothing",
        "20 jobs have another pay than before",
        without(PAY, "pay_cents / 100", "coalesce(pay_cents, 0) / 100"),
    ),
    but(
        "the index stays on the way back",
        "the second upgrade stops with DuplicateTable",
        INDEX.partition("\n\n\ndef downgrade")[0] + "\n\n\ndef downgrade() -> None:\n    pass\n",
    ),
    but(
        "the rule stays on the way back",
        "5  left: After the way back, companies still have to have a contact",
        CONTACT + "\n\n\ndef downgrade() -> None:\n    pass\n",
    ),
    cells(
        "by hand on the server, and not in the file",
        *BEFORE_DAY,
        without(REMOTE, ', server_default="false", nullable=False', ""),
        UP,
        "%sql UPDATE jobs SET remote = false",
        "%sql ALTER TABLE jobs ALTER remote SET NOT NULL, ALTER remote SET DEFAULT false",
        CHECK.replace(", day", ""),
        says="A new machine does not get the tables",
    ),
    but(
        "an index of another name than the models'",
        "On the server, an index is called by_job",
        INDEX.replace("ix_applications_job_id", "by_job"),
        without=(INDEX,),
    ),
    cells(
        "an index renamed by hand",
        *BEFORE_DAY,
        UP,
        "%sql ALTER INDEX ix_applications_job_id RENAME TO by_job",
        CHECK.replace(", day", ""),
        says="On the server, an index is called by_job",
    ),
    but(
        "an index that commits itself, and not concurrently",
        "8  left: Everybody who writes applications waits",
        without(
            INDEX, ", postgresql_concurrently=True\n        )\n\n\ndef", "\n        )\n\n\ndef"
        ),
    ),
    but("the models are made to fit", "Ines asked to leave it", OTHER_MODELS),
    cells(
        "the upgrade after those who watch have gone",
        *BEFORE_DAY,
        PATIENCE,
        without(DAY, "range(4)", "range(1)"),
        UP,
        CHECK,
        says="Meanwhile: the upgrade did not get through in that traffic.",
    ),
    cells(
        "the upgrade before they come, and its last step once more",
        *BEFORE_DAY,
        UP,
        "!alembic downgrade -1",
        PATIENCE,
        DAY,
        CHECK,
        says="Meanwhile: jobs.kind was there before they came.",
    ),
    cells(
        "a traffic of other people",
        *BEFORE_DAY,
        without(DAY, '"jobs", "title", report=2', '"applications", "email"'),
        CHECK,
        says="Meanwhile: others were at work than those of the lesson",
    ),
]
CATCH_UP = without(
    without(
        REMOTE,
        "nullable=False))",
        'nullable=False), if_not_exists=True)\n    op.add_column("companies", sa.Column("website", sa.String(200)), if_not_exists=True)',
    ),
    'op.drop_column("jobs", "remote")',
    "pass",
)
PARENT = f"""
from pathlib import Path

[pay] = Path("{VERSIONS}").glob("*_pay_in_cents.py")
pay.write_text(pay.read_text().replace('"a9f03e6c8b15"', '"3f98b60e2d5a"'))
""".strip()
TYPE_FIRST = without(
    KIND,
    "def downgrade",
    """def upgrade() -> None:
    op.execute("DROP TYPE IF EXISTS job_kind")
    op.execute("CREATE TYPE job_kind AS ENUM ('full', 'part', 'freelance')")
    kind = postgresql.ENUM(name="job_kind", create_type=False)
    op.add_column("jobs", sa.Column("kind", kind, server_default="full", nullable=False))


def downgrade""",
)
TWO_LINES = ("d27b4a91f0c3", "e6501c8dba74", "3f98b60e2d5a", "84c7f25a1eb9", "f1d60a3b97c8")
SQUASH = f"""
from pathlib import Path

for old in {TWO_LINES!r}:
    [path] = Path("{VERSIONS}").glob(f"{{old}}_*")
    path.unlink()
!alembic revision -m "catch up" --rev-id c0ffee00c0de
!alembic revision -m "find applications by job" --rev-id c0ffee00c0df
""".strip()
ALL_IN_ONE = f"""
%%writerevision {VERSIONS}/*_catch_up.py
def upgrade() -> None:
    op.execute("DROP TYPE IF EXISTS job_kind; CREATE TYPE job_kind AS ENUM ('full', 'part', 'freelance')")
    op.execute("ALTER TABLE jobs ADD kind job_kind NOT NULL DEFAULT 'full', ADD pay_cents integer")
    op.execute("ALTER TABLE jobs ADD remote boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE jobs RENAME place TO city")
    op.execute("UPDATE jobs SET pay_cents = pay * 100")
    op.execute("ALTER TABLE jobs DROP pay")
    op.execute("UPDATE companies SET contact = 'desk@harbour.example' WHERE contact IS NULL")
    op.execute("ALTER TABLE companies ALTER contact SET NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs ADD pay integer")
    op.execute("UPDATE jobs SET pay = pay_cents / 100")
    op.execute("ALTER TABLE jobs DROP pay_cents, DROP kind, DROP remote")
    op.execute("ALTER TABLE jobs RENAME city TO place")
    op.execute("DROP TYPE job_kind")
    op.execute("ALTER TABLE companies ALTER contact DROP NOT NULL")
""".strip()
COPIED = without(
    without(
        CITY,
        'op.alter_column("jobs", "place", new_column_name="city")',
        'op.add_column("jobs", sa.Column("city", sa.String(80)))\n    op.execute("UPDATE jobs SET'
        ' city = place")\n    op.drop_column("jobs", "place")',
    ),
    'op.alter_column("jobs", "city", new_column_name="place")',
    'op.add_column("jobs", sa.Column("place", sa.String(80)))\n    op.execute("UPDATE jobs SET'
    ' place = city")\n    op.drop_column("jobs", "city")',
)
CREATED = without(
    KIND,
    "def downgrade",
    """def upgrade() -> None:
    kind = sa.Enum("full", "part", "freelance", name="job_kind")
    kind.create(op.get_bind(), checkfirst=True)
    op.add_column("jobs", sa.Column("kind", kind, server_default="full", nullable=False))


def downgrade""",
)
KEPT = f"""
%%writerevision {VERSIONS}/*_pay_in_cents.py
def upgrade() -> None:
    op.alter_column("jobs", "pay", new_column_name="pay_cents")
    op.execute("UPDATE jobs SET pay_cents = pay_cents * 100")


def downgrade() -> None:
    op.execute("UPDATE jobs SET pay_cents = pay_cents / 100")
    op.alter_column("jobs", "pay_cents", new_column_name="pay")
""".strip()
BETWEEN = f"""
from pathlib import Path

new, after = Path("{VERSIONS}/b8e43d70a15f_jobs_can_be_remote.py"), "5b21d9c07e46"
[website] = Path("{VERSIONS}").glob("a9f03e6c8b15_*")
text = website.read_text()
website.write_text(text.replace(f'"{{after}}"', '"b8e43d70a15f"'))
new.write_text(text.replace("a9f03e6c8b15", "b8e43d70a15f"))
""".strip()
BACK = "!alembic downgrade a9f03e6c8b15"
EVERYWHERE = f"""
import os

os.environ["PGOPTIONS"] = "-c lock_timeout=300ms"
{DAY}
os.environ["PGOPTIONS"] = "-c lock_timeout=5s"
""".strip()
RIGHT = [
    cells(
        "the server is caught up by hand",
        WEBSITE_BY_HAND,
        REMOTE_BY_HAND,
        OLD_TYPE,
        *PENDING,
        MERGE,
        PATIENCE,
        DAY,
        CHECK,
    ),
    cells(
        "re-parented, and caught up by a revision that looks",
        PARENT,
        TYPE_FIRST,
        *PENDING[1:],
        NEW,
        CATCH_UP,
        PATIENCE,
        DAY,
        CHECK,
    ),
    cells(
        "what is pending is written anew, as one",
        DEADLINE,
        SQUASH,
        ALL_IN_ONE,
        INDEX,
        TRUE_ROW,
        PATIENCE,
        DAY,
        CHECK,
    ),
    cells(
        "the old type grows, the place is copied, the contacts are filled by hand",
        DEADLINE,
        "%sql ALTER TYPE job_kind ADD VALUE 'freelance'",
        "%sql UPDATE companies SET contact = 'desk@harbour.example' WHERE contact IS NULL",
        CREATED,
        COPIED,
        KEPT,
        INDEX,
        MERGE,
        NEW,
        REMOTE,
        TRUE_ROW,
        PATIENCE,
        DAY,
        CHECK,
    ),
    cells(
        "a revision of its own where it belongs, below what was never run",
        DEADLINE,
        *PENDING,
        BETWEEN,
        REMOTE,
        MERGE,
        TRUE_ROW,
        OLD_TYPE,
        EVERYWHERE,
        CHECK,
    ),
    cells(
        "there, back, and there again while people watch",
        *BEFORE_DAY,
        UP,
        BACK,
        PATIENCE,
        DAY,
        CHECK,
    ),
]
