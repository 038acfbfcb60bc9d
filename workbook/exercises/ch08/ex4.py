"""8.4  An enum with its way back, alone."""

from workbook.contents import MAPPED, NAMED, OPEN_JOBS, Start
from workbook.exercises import ANY, Mistake, edits
from workbook.exercises.kinds import Revision

TYPE = 'kind = sa.Enum("permanent", "temporary", name="job_kind")'
MAKE = "kind.create(op.get_bind())"
ADD = 'op.add_column("jobs", sa.Column("kind", kind, server_default="permanent", nullable=False))'
DROP = 'op.drop_column("jobs", "kind")'
UNMAKE = 'op.execute("DROP TYPE job_kind")'

EXERCISE = Revision(
    file="kind.py",
    start=Start("jobs with a status", (*MAPPED, "named"), (NAMED,), (NAMED,), OPEN_JOBS),
    convention=True,
    exact=True,
    code=f"""
def upgrade() -> None:
    {TYPE}
    {MAKE}
    {ADD}


def downgrade() -> None:
    {DROP}
    {UNMAKE}
""",
    shown="""
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
""",
    mistakes=(
        Mistake(
            "no operation for types",
            "Alembic has operations for tables, columns, constraints and indexes, and none for types.",
            "A type is made and dropped by its own methods, or by SQL.",
            lambda t: (
                t.lacking("alembic.op") in ("create_type", "drop_type", "create_enum", "drop_enum")
            ),
            step=ANY,
        ),
        Mistake(
            "a list in place of values",
            "sa.Enum takes its values one after the other, and no list of them.",
            "Take the square brackets away.",
            lambda t: t.failed("TypeError", "unhashable") and t.calls("Enum"),
            step=ANY,
        ),
    ),
    task="bring in an enum, and take it away again",
    hints=(
        "Two things come: a type, and a column of it. Two things go.",
        "sa.Enum takes the values and a name=; its create() takes the connection.",
        "A type can go only when no column uses it any more.",
    ),
    why="The type is made before the column that uses it, and dropped after it. So the way can be gone again.",
    passed="You can bring in a type, and leave nothing behind.",
)
WRONG = edits(
    EXERCISE.filled,
    rf"""
no type is made  | \s   {MAKE}\n  |  | add_column makes no type
the type stays  | \n    {UNMAKE}  |  | a type that stays behind
the type first, then its column  | {DROP}\n    {UNMAKE}  | {UNMAKE}\n    {DROP}  | a type that is still in use
the type is passed over  | {MAKE}  | kind.create(op.get_bind(), checkfirst=True)  | \n    {UNMAKE}  |  | a type that stays behind
another order  | "permanent", "temporary"  | "temporary", "permanent"  | has the values temporary, permanent
another name  | job_kind  | kind  | Missing: the type job_kind
no name  | , name="job_kind"  |  | an enum without a name
may be missing  | , nullable=False  |  | a column may be NULL unless you say otherwise
no value for the old rows  | server_default="permanent",  |  | NOT NULL on a table that holds rows
Python's default  | server_default  | default  | default= is Python's, not the database's
a value too many  | "temporary",  | "temporary", "intern",  | has the values permanent, temporary, intern
the other value for the old rows  | server_default="permanent"  | server_default="temporary"  | DEFAULT 'temporary'
text in place of an enum  | {MAKE}  | pass  | kind, server_default  | sa.String(), server_default  | \n    {UNMAKE}  |  | Missing: the type job_kind
a CHECK in place of an enum  | name="job_kind"  | name="job_kind", native_enum=False  | \n    {UNMAKE}  |  | Missing: the type job_kind
made twice  | {MAKE}  | {MAKE}\n    {MAKE}  | a type that is there already
made by SQL and by create  | {MAKE}  | op.execute("CREATE TYPE job_kind AS ENUM ('permanent', 'temporary')")\n    {MAKE}  | a type that is there already
the other type goes  | {UNMAKE}  | op.execute("DROP TYPE job_status")  | a type that is still in use
the values without quotes  | "permanent", "temporary", n  | permanent, temporary, n  | a name without quotes
the variable of the other function  | {UNMAKE}  | kind.drop(op.get_bind())  | a variable of the other function
an operation that there is not  | {UNMAKE}  | op.drop_type("job_kind")  | no operation for types
the values as a list  | "permanent", "temporary", n  | ["permanent", "temporary"], n  | a list in place of values
create without the connection  | op.get_bind()  |  | a type is made on a connection
nothing on the way back  | {DROP}\n    {UNMAKE}  | pass  | a downgrade that does nothing
the model's enum  | {TYPE}  | from jobboard.models import JobStatus\n    {TYPE}  | models imported into a migration
no value for new rows  | {ADD}  | op.add_column("jobs", sa.Column("kind", kind))\n    op.execute("UPDATE jobs SET kind = 'permanent'")\n    op.alter_column("jobs", "kind", nullable=False)  | Different: jobs.kind
a slip in the default  | server_default="permanent"  | server_default="permanant"  | a value that the enum does not have
a default without quotes  | server_default="permanent"  | server_default=sa.text("permanent")  | a default without quotes
""",
)
RIGHT = edits(
    EXERCISE.filled,
    rf"""
PostgreSQL's ENUM  | {TYPE}  | from sqlalchemy.dialects import postgresql\n    kind = postgresql.ENUM("permanent", "temporary", name="job_kind", create_type=False)
all in SQL  | {TYPE}\n    {MAKE}\n    {ADD}  | op.execute("CREATE TYPE job_kind AS ENUM ('permanent', 'temporary')")\n    op.execute("ALTER TABLE jobs ADD kind job_kind NOT NULL DEFAULT 'permanent'")
type by SQL, column by op  | {MAKE}  | op.execute("CREATE TYPE job_kind AS ENUM ('permanent', 'temporary')")
dropped by the type itself  | {UNMAKE}  | sa.Enum(name="job_kind").drop(op.get_bind())
the type with all that uses it  | {DROP}\n    {UNMAKE}  | op.execute("DROP TYPE job_kind CASCADE")
IF EXISTS  | DROP TYPE job_kind  | DROP TYPE IF EXISTS job_kind
in three steps  | {ADD}  | op.add_column("jobs", sa.Column("kind", kind, nullable=True))\n    op.execute("UPDATE jobs SET kind = 'permanent'")\n    op.alter_column("jobs", "kind", nullable=False, server_default="permanent")
""",
)
