"""2.6  Write a revision for many to many."""

from workbook.exercises import Answer, cells, edits
from workbook.exercises.kinds import Revision

SKILLS = """    op.create_table(
        "skills",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
    )
"""
WANTED = """    op.create_table(
        "job_skills",
        sa.Column("job_id", sa.Integer(), primary_key=True),
        sa.Column("skill_id", sa.Integer(), primary_key=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"]),
    )
"""

EXERCISE = Revision(
    file="skills.py",
    exact=True,
    code=f"""
def upgrade() -> None:
{SKILLS}{WANTED}

def downgrade() -> None:
    op.drop_table("job_skills")
    op.drop_table("skills")
""",
    shown=f"""
def upgrade() -> None:
{SKILLS}

def downgrade() -> None:
    op.drop_table("skills")
""",
    task="write a revision for many to many",
    hints=(
        "Two columns, which are the key together, and two foreign keys: all of it in job_skills.",
        "sa.ForeignKeyConstraint stands in the table that refers, once for each table that it"
        " refers to. jobs is there already.",
        "Where does job_skills go on the way back: before skills, or after it?",
    ),
    why="job_skills is the line between the two: one row for each pair, which its primary key of two"
    " columns lets in once. It goes first on the way back.",
    passed="You can tie tables many to many.",
)

CODE = EXERCISE.filled

WRONG = [
    cells("nothing", says="Not attempted yet"),
    *edits(
        CODE,
        r"""
no key  | "job_id", sa.Integer(), primary_key=True  | "job_id", sa.Integer(), nullable=False  | "skill_id", sa.Integer(), primary_key=True  | "skill_id", sa.Integer(), nullable=False  | no primary key
half a key  | "skill_id", sa.Integer(), primary_key=True  | "skill_id", sa.Integer(), nullable=False  | Missing: the constraint PRIMARY KEY (job_id, skill_id)
an id of its own  | sa.Column("job_id", sa.Integer(), primary_key=True)  | sa.Column("id", sa.Integer(), primary_key=True),\n        sa.Column("job_id", sa.Integer(), nullable=False)  | Extra: the column job_skills.id
one rule forgotten  | \n        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),  |  | Missing: the constraint FOREIGN KEY (job_id)
the class's name  | jobs.id  | Job.id  | a foreign key names a table
a table without its column  | "jobs.id"  | "jobs"  | a foreign key names table and column
one rule of both  | sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),\n        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"])  | sa.ForeignKeyConstraint(["job_id", "skill_id"], ["jobs.id", "skills.id"])  | refers to multiple remote tables
the key the other way round  | sa.Column("job_id", sa.Integer(), primary_key=True),\n        sa.Column("skill_id", sa.Integer(), primary_key=True)  | sa.Column("skill_id", sa.Integer(), primary_key=True),\n        sa.Column("job_id", sa.Integer(), primary_key=True)  | Missing: the constraint PRIMARY KEY (job_id, skill_id)
no lists  | ["job_id"], ["jobs.id"]  | "job_id", "jobs.id"  | text in place of a list
a skill may have no name  | (40), nullable=False  | (40)  | a column may be NULL unless you say otherwise
no length  | (40)  | ()  | another length
the same order back  | op.drop_table("job_skills")\n    op.drop_table("skills")  | op.drop_table("skills")\n    op.drop_table("job_skills")  | the parent is dropped before the child
both tables in one call  | op.drop_table("job_skills")\n    op.drop_table("skills")  | op.drop_table(["job_skills", "skills"])  | one table at a time
half a downgrade  | \n    op.drop_table("skills")  |  | Extra: the table skills
jobs go as well  | op.drop_table("skills")  | op.drop_table("skills")\n    op.drop_table("jobs")  | a downgrade that takes too much
""",
    ),
    Answer(
        "the pairs first",
        "the child comes before the parent",
        code=CODE.replace(SKILLS + WANTED, WANTED + SKILLS),
    ),
]

RIGHT = [
    *edits(
        CODE,
        r"""
a key in its own line  | "job_id", sa.Integer(), primary_key=True  | "job_id", sa.Integer(), nullable=False  | "skill_id", sa.Integer(), primary_key=True)  | "skill_id", sa.Integer(), nullable=False),\n        sa.PrimaryKeyConstraint("job_id", "skill_id")
rules in the columns  | "job_id", sa.Integer(),  | "job_id", sa.Integer(), sa.ForeignKey("jobs.id"),  | \n        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),  | 
named rules and a comment  | ["jobs.id"]  | ["jobs.id"], name="fk_job"  | (40), nullable=False  | (40), nullable=False, comment="such as SQL"
""",
    ),
]
