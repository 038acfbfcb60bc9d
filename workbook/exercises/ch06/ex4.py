"""6.4  Give a table another name, alone."""

from workbook.exercises import ANY, Answer, Mistake, cells, edits
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

UP = 'op.rename_table("jobs", "postings")'
DOWN = 'op.rename_table("postings", "jobs")'


def left_behind(trial: Trial) -> bool:
    """Whether jobs is gone after the upgrade, and postings has no row."""
    made = trial.run.after("upgrade")
    return made is not None and "jobs" not in made.rows and not made.rows.get("postings")


EXERCISE = Revision(
    file="postings.py",
    exact=True,
    then="INSERT INTO postings (title, description, company_id) VALUES ('Driver', 'Drives.', 1);",
    code=functions(UP, DOWN),
    shown=functions("pass", "pass"),
    mistakes=(
        Mistake(
            "a new table begins empty",
            "create_table makes a table without rows, and drop_table takes those of the old one with it. Ids,"
            " keys and the counter behind the ids would have to be made anew, too.",
            "A table can keep all that and change its name.",
            lambda t: t.calls("create_table", "upgrade") if left_behind(t) else "",
        ),
        Mistake(
            "the old name comes first",
            "rename_table looks for a table of its first name, and at this point there is none.",
            "In each of the two functions: what is the table called before that line?",
            lambda t: (
                (
                    t.failed("UndefinedTable", '"postings"', "upgrade")
                    or t.failed("UndefinedTable", '"jobs"', "downgrade")
                )
                and t.calls("rename_table", t.error.step)
            ),
            step=ANY,
        ),
    ),
    task="give a table another name",
    hints=(
        "Neither create_table nor drop_table: the rows would not come along.",
        "The operation is called what it does: op.rename_table.",
        "It takes the old name and the new one. On the way back they change places.",
    ),
    why="The table keeps its rows, its keys and the ties to companies; only its name changes.",
    passed="You can rename a table without losing a row.",
)

CODE = EXERCISE.filled
CREATE = """op.create_table(
        "postings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
    )"""
COPY = 'op.execute("INSERT INTO postings SELECT id, description, title, company_id FROM jobs")'
COUNT = "op.execute(\"SELECT setval('postings_id_seq', (SELECT max(id) FROM postings))\")"
GONE = 'op.drop_table("jobs")'


def upgrade(name: str, *lines: str, says: str = "") -> Answer:
    """An upgrade() of these lines."""
    return Answer(name, says, code=CODE.replace(UP, "\n    ".join(lines)))


WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
    upgrade("a drop and a create, as drafted", CREATE, GONE, says="a new table begins empty"),
    upgrade("only created", CREATE, says="Extra: the table jobs"),
    upgrade("copied, and both stay", CREATE, COPY, COUNT, says="Extra: the table jobs"),
    upgrade(
        "copied by CREATE TABLE AS",
        'op.execute("CREATE TABLE postings AS SELECT * FROM jobs")',
        GONE,
        says="no primary key",
    ),
    upgrade(
        "copied without the tie",
        CREATE.replace('sa.ForeignKey("companies.id"), ', ""),
        COPY,
        COUNT,
        GONE,
        says="an id is not a rule",
    ),
    upgrade(
        "copied without the counter", CREATE, COPY, GONE, says="ids that the sequence does not know"
    ),
    upgrade(
        "copied, all to one company",
        CREATE,
        COPY.replace("company_id FROM", "1 FROM"),
        COUNT,
        GONE,
        says="After the upgrade",
    ),
    upgrade(
        "copied before it is made", COPY, CREATE, GONE, says='relation "postings" does not exist'
    ),
    upgrade(
        "a view",
        'op.execute("CREATE VIEW postings AS SELECT * FROM jobs")',
        says="Extra: the view postings",
    ),
    upgrade(
        "the model",
        "from jobboard.models import Job",
        'Job.__tablename__ = "postings"',
        says="models imported into a migration",
    ),
    *edits(
        CODE,
        rf"""
a gap  | "postings")  | ____)  | Not attempted yet
names swapped  | {UP}  | ?  | {DOWN}  | {UP}  | ?  | {DOWN}  | the old name comes first
the class's name  | "jobs", "postings"  | "Job", "Posting"  | relation "Job" does not exist
a capital letter  | "postings"  | "Postings"  | a name is compared letter by letter
one name  | "jobs", "postings"  | "postings"  | missing 1 required positional argument: 'new_table_name'
another table  | {UP}  | op.rename_table("companies", "postings")  | {DOWN}  | op.rename_table("postings", "companies")  | Missing: the table companies
the singular  | "postings"  | "posting"  | Extra: the table posting
a column  | {UP}  | op.alter_column("jobs", "id", new_column_name="postings")  | Extra: the table jobs
alter_table  | {UP}  | op.alter_table("jobs", new_table_name="postings")  | an operation that Alembic does not have
without op.  | op.rename  | rename  | op. is missing
without quotes  | "jobs", "postings"  | jobs, postings  | a name without quotes
SQL with a slip  | {UP}  | op.execute("ALTER TABLE jobs RENAME postings")  | syntax error at end of input
nothing on the way back  | {DOWN}  | pass  | a downgrade that does nothing
the same on the way back  | {DOWN}  | {UP}  | the old name comes first
dropped on the way back  | {DOWN}  | op.drop_table("postings")  | Missing: the table jobs
empties it on the way back  | {DOWN}  | {DOWN}\n    op.execute("TRUNCATE jobs")  | After the downgrade, a row of jobs is missing
the rows go on the way  | {UP}  | op.execute("DELETE FROM jobs")\n    {UP}  | After the upgrade, a row of postings is missing
""",
    ),
]
RIGHT = [
    upgrade(
        "made anew, with all that belongs to it",
        CREATE,
        COPY,
        COUNT,
        GONE,
    ),
    *edits(
        CODE,
        rf"""
in SQL  | {UP}  | op.execute("ALTER TABLE jobs RENAME TO postings")  | {DOWN}  | op.execute("ALTER TABLE postings RENAME TO jobs")
by keyword  | "jobs", "postings"  | old_table_name="jobs", new_table_name="postings"
with its sequence  | {UP}  | {UP}\n    op.execute("ALTER SEQUENCE jobs_id_seq RENAME TO postings_id_seq")  | {DOWN}  | op.execute("ALTER SEQUENCE postings_id_seq RENAME TO jobs_id_seq")\n    {DOWN}
with its key's name  | {UP}  | {UP}\n    op.execute("ALTER TABLE postings RENAME CONSTRAINT jobs_pkey TO postings_pkey")  | {DOWN}  | op.execute("ALTER TABLE postings RENAME CONSTRAINT postings_pkey TO jobs_pkey")\n    {DOWN}
""",
    ),
]
