"""3.6  Write a migration that changes two tables."""

from workbook.exercises import Answer, cells, edits
from workbook.exercises.kinds import Revision

CITIES = """    op.create_table(
        "cities",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
    )
"""
COLUMN = '    op.add_column("jobs", sa.Column("city_id", sa.Integer()))\n'
KEY = '    op.create_foreign_key("jobs_city_id_fkey", "jobs", "cities", ["city_id"], ["id"])\n'
BACK = '    op.drop_column("jobs", "city_id")\n    op.drop_table("cities")\n'
SHOWN = "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"

EXERCISE = Revision(
    file="cities.py",
    exact=True,
    code=f"def upgrade() -> None:\n{CITIES}{COLUMN}{KEY}\n\ndef downgrade() -> None:\n{BACK}",
    shown=SHOWN,
    task="write a migration that changes two tables",
    hints=(
        "Three things have to be there: the table cities, the column jobs.city_id, and the rule that"
        " ties it. In which order can PostgreSQL make them?",
        "A sa.ForeignKey may stand in the sa.Column that op.add_column gets, as in the migration that"
        " you broke; op.create_foreign_key makes the rule in a step of its own.",
        "A column that goes takes its foreign key along. What has to go before cities can?",
    ),
    why="The parent comes first and goes last. The column may be missing (NULL), as the jobs that"
    " are there have no city yet. With the column goes its rule, and then nothing holds cities.",
    passed="You can change several tables in one migration, and take all of it back.",
)

CODE = EXERCISE.filled
ALL_BACK = BACK.strip().replace("\n", r"\n")

WRONG = [
    cells("nothing", says="Not attempted yet"),
    *edits(
        CODE,
        rf"""
an id without a rule  | {KEY.strip()}  | pass  | Missing: the constraint FOREIGN KEY (city_id)
a rule without its name  | "jobs_city_id_fkey", "jobs", "cities"  | "jobs", "cities"  | the rule's own name comes first
the column must have a value  | "city_id", sa.Integer()  | "city_id", sa.Integer(), nullable=False  | NOT NULL on a table that holds rows
a city may have no name  | , nullable=False  |  | a column may be NULL unless you say otherwise
no length  | String(60)  | String()  | another length
the column is text  | "city_id", sa.Integer()  | "city_id", sa.String()  | a key of another type
the key on the wrong side  | "jobs", "cities", ["city_id"], ["id"]  | "cities", "jobs", ["id"], ["id"]  | Missing: the constraint FOREIGN KEY (city_id)
the parent goes first  | {ALL_BACK}  | op.drop_table("cities")\n    op.drop_column("jobs", "city_id")  | the parent is dropped before the child
the table stays  | \n    op.drop_table("cities")  |  | Extra: the table cities
the column stays  | op.drop_column("jobs", "city_id")\n    op.drop_table("cities")  | op.execute("DROP TABLE cities CASCADE")  | Extra: the column jobs.city_id
nothing in the downgrade  | {ALL_BACK}  | pass  | a downgrade that does nothing
drops what it did not make  | op.drop_table("cities")  | op.drop_table("cities")\n    op.drop_table("jobs")  | a downgrade that takes too much
""",
    ),
    Answer(
        "the rule before its table",
        "the child comes before the parent",
        code=CODE.replace(CITIES + COLUMN + KEY, COLUMN + KEY + CITIES),
    ),
    Answer(
        "a column without a type",
        "a type is missing",
        code=CODE.replace('"city_id", sa.Integer()', '"city_id"'),
    ),
]
RIGHT = [
    *edits(
        CODE,
        rf"""
the rule in the column  | {KEY.strip()}  | pass  | "city_id", sa.Integer()  | "city_id", sa.Integer(), sa.ForeignKey("cities.id")
the rule dropped by its name  | op.drop_column  | op.drop_constraint("jobs_city_id_fkey", "jobs", type_="foreignkey")\n    op.drop_column
the rule under another name  | "jobs_city_id_fkey", "jobs", "cities"  | "fk_city", "jobs", "cities"
an unnamed rule  | "jobs_city_id_fkey", "jobs", "cities"  | None, "jobs", "cities"
nullable said  | "city_id", sa.Integer()  | "city_id", sa.Integer(), nullable=True
""",
    ),
]
