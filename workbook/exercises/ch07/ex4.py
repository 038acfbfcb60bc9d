"""7.4  Change a type, alone: text becomes a number."""

from dataclasses import replace

from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import TWO_TABLES, Revision

UP = "op.alter_column(\"jobs\", \"salary\", type_=sa.Integer(), postgresql_using=\"nullif(replace(salary, ' ', ''), '')::integer\")"
USING = ", postgresql_using=\"nullif(replace(salary, ' ', ''), '')::integer\""
DOWN = 'op.alter_column("jobs", "salary", type_=sa.String(20))'
SALARIES = """
ALTER TABLE jobs ADD COLUMN salary varchar(20);
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books');
INSERT INTO jobs (title, description, company_id, salary) VALUES
    ('Analyst', 'Asks the questions.', 1, '52000'), ('Cook', 'Lunch for forty.', 2, '31 500'),
    ('Data engineer', 'Builds the pipelines.', 1, ''), ('Bookseller', 'Knows all.', 2, NULL);
"""

DROPPED = Mistake(
    "a column made anew is empty",
    "The column was dropped and added again. It has the right type, and the salaries went with the old"
    " one.",
    "Change the type of the column that is there.",
    lambda t: (
        (step := t.run.after("upgrade"))
        and {row.get("salary") for row in step.rows["jobs"]} == {None}
        and t.calls("drop_column", "upgrade")
    ),
)

EXERCISE = Revision(
    file="salary.py",
    exact=True,
    start=replace(TWO_TABLES, rows=SALARIES),
    code=f"def upgrade() -> None:\n    {UP}\n\n\ndef downgrade() -> None:\n    {DOWN}\n",
    shown="def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    mistakes=(DROPPED,),
    task="make a number of a column of text",
    hints=(
        "op.alter_column takes type_= for the new type, and postgresql_using= for an expression that"
        " makes the new value of the old one.",
        "Build the expression from the inside: replace(salary, ' ', '') is the text without its spaces;"
        " nullif(x, '') is NULL where x is the empty text, and x otherwise.",
        "What comes out is still text: ::integer makes it a number. A number becomes text without"
        " any help.",
    ),
    why="USING says how each old value becomes a new one. The spaces do not come back: 31500 is text"
    " again after the downgrade, and not what somebody once typed.",
    passed="You can change a type, and say what becomes of the values that do not fit.",
)

CODE = EXERCISE.filled
WRONG = edits(
    CODE,
    rf"""
pass twice  | {UP}  | pass  | {DOWN}  | pass  | Not attempted yet
no USING  | {USING}  |  | a type change that needs USING
USING, as the hint of PostgreSQL says  | nullif(replace(salary, ' ', ''), '')::integer  | salary::integer  | a value that the new type does not take
the spaces stay  | replace(salary, ' ', '')  | salary  | a value that the new type does not take
the empty text stays  | nullif(replace(salary, ' ', ''), '')  | replace(salary, ' ', '')  | a value that the new type does not take
zero for the empty text  | nullif(replace(salary, ' ', ''), '')::integer  | (0 || replace(salary, ' ', ''))::integer  | jobs.salary of the row 3 holds 0
a cast is missing  | ::integer  |  | a type change that needs USING
those that do not fit are lost  | nullif(replace(salary, ' ', ''), '')::integer  | CASE WHEN salary ~ '^[0-9]+$' THEN salary::integer END  | jobs.salary of the row 2 holds NULL
what stands before the space  | replace(salary, ' ', '')  | split_part(salary, ' ', 1)  | jobs.salary of the row 2 holds 31
rows that do not fit go  | {UP}  | op.execute("DELETE FROM jobs WHERE salary !~ '^[0-9]+$'")\n    op.alter_column("jobs", "salary", type_=sa.Integer(), postgresql_using="salary::integer")  | a row of jobs is missing: id 2
a column made anew  | {UP}  | op.drop_column("jobs", "salary")\n    op.add_column("jobs", sa.Column("salary", sa.Integer()))  | a column made anew is empty
USING without its prefix  | postgresql_using  | using  | a type change that needs USING
type without its underscore  | type_=sa.Integer  | type=sa.Integer  | postgresql_using must be used with the type_ parameter
another number  | Integer(), p  | Numeric(), p  | Different: jobs.salary is NUMERIC, asked for is INTEGER
NOT NULL, unasked  | Integer(), p  | Integer(), nullable=False, p  | required before every row has a value
another length on the way back  | String(20)  | String(50)  | Different: jobs.salary is VARCHAR(50)
any length on the way back  | String(20)  | String()  | Different: jobs.salary is VARCHAR
nothing on the way back  | {DOWN}  | pass  | a downgrade that does nothing
the column goes  | {DOWN}  | op.drop_column("jobs", "salary")  | Missing: the column jobs.salary
a thousands' mark on the way back  | String(20))  | String(20), postgresql_using="to_char(salary, 'FM99 999')")  | After the downgrade, jobs.salary of the row 1 holds '52 000'
table and column swapped  | "jobs", "salary", type_=sa.I  | "salary", "jobs", type_=sa.I  | the table's name comes first
the type as text  | sa.Integer()  | "integer"  | integer
a commit  | {UP}  | {UP}\n    op.get_bind().commit()  | a migration that commits
""",
)
RIGHT = edits(
    CODE,
    rf"""
with the old type  | type_=sa.Integer()  | existing_type=sa.String(20), type_=sa.Integer()
a pattern  | replace(salary, ' ', '')  | regexp_replace(salary, '[^0-9]', '', 'g')
cleaned up first  | {UP}  | op.execute("UPDATE jobs SET salary = nullif(replace(salary, ' ', ''), '')")\n    op.alter_column("jobs", "salary", type_=sa.Integer(), postgresql_using="salary::integer")
raw SQL  | {UP}  | op.execute("ALTER TABLE jobs ALTER salary TYPE integer USING nullif(replace(salary, ' ', ''), '')::integer")
CAST, and USING on the way back  | nullif(replace(salary, ' ', ''), '')::integer  | CAST(nullif(replace(salary, ' ', ''), '') AS integer)  | String(20))  | String(20), postgresql_using="salary::varchar")
a new column that takes the name  | {UP}  | op.add_column("jobs", sa.Column("pay", sa.Integer()))\n    op.execute("UPDATE jobs SET pay = nullif(replace(salary, ' ', ''), '')::integer")\n    op.drop_column("jobs", "salary")\n    op.alter_column("jobs", "pay", new_column_name="salary")
""",
)
