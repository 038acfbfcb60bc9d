"""2.4  Write the downgrade."""

from workbook.exercises import Mistake, cells, edits
from workbook.exercises.ch02 import BY_HAND, CELL, EMPTY, ex3, statements
from workbook.exercises.kinds import NOTHING, Revision

SHOWN = '''def downgrade() -> None:
    """Downgrade schema."""
    pass
'''

EXERCISE = Revision(
    into="alembic/versions/*_init.py",
    code='''
def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("jobs")
    op.drop_table("companies")
''',
    shown=SHOWN,
    start=NOTHING,
    counts=lambda source: bool(statements(source, "downgrade")),
    begins=3,
    above=(EMPTY, ex3.WHOLE),
    mistakes=(
        Mistake(
            "the way back needs a way there",
            "The upgrade() above it does not make jobs yet, so there is no jobs to undo.",
            "Do exercise 2.3 first: it fills upgrade().",
            lambda t: t.up is not None and "jobs" not in t.up.tables,
        ),
    ),
    task="write the downgrade",
    hints=(
        "Two tables were made, so two have to go.",
        "Which of them does the other one hold on to?",
        "op.drop_table takes the name of a table. Begin with the one that was created last.",
    ),
    why="In reverse order: as long as jobs is there, its foreign key keeps companies from being"
    " dropped.",
    passed="You can write the way back, and it was taken: up, down and up again.",
)

BOTH = '    op.drop_table("jobs")\n    op.drop_table("companies")\n'

WRONG = [
    *edits(
        EXERCISE.filled,
        r"""
only the parent  | \n    op.drop_table("jobs")  |  | the parent is dropped before the child
half  | \n    op.drop_table("companies")  |  | Extra: the table companies.
return  | op.drop_table("jobs")  | return\n    op.drop_table("jobs")  | a downgrade that does nothing
a typo in the name  | "companies"  | "company"  | table "company" does not exist
names without quotes  | "jobs"  | jobs  | "companies"  | companies  | a name without quotes
drop_table without op.  | op.drop  | drop  | op. is missing
two names in one call  | "jobs")\n    op.drop_table("companies")  | "jobs", "companies")  | one table at a time
Alembic's table too  | "companies")  | "companies")\n    op.drop_table("alembic_version")  | Alembic's own table is gone
a commit  | "jobs")  | "jobs")\n    op.get_bind().commit()  | a migration that commits
COMMIT as SQL  | "jobs")  | "jobs")\n    op.execute("COMMIT")  | a migration that commits
""",
    ),
    *edits(
        SHOWN,
        r'''
the wrong order  | pass  | op.drop_table("companies")\n    op.drop_table("jobs")  | the parent is dropped before the child
only CASCADE  | pass  | op.execute("DROP TABLE companies CASCADE")  | Extra: the table jobs.
pass  | """Downgrade schema."""\n    pass  | pass  | Not attempted yet
an ellipsis  | pass  | ...  | a downgrade that does nothing
IF EXISTS and a typo  | pass  | op.execute("DROP TABLE IF EXISTS job, company")  | a downgrade that does nothing
rows instead of tables  | pass  | op.execute("DELETE FROM jobs")\n    op.execute("DELETE FROM companies")  | a downgrade that does nothing
columns instead of tables  | pass  | op.drop_column("jobs", "title")\n    op.drop_column("companies", "name")  | Extra: the table
makes the tables again  | pass  | op.create_table("jobs")  | relation "jobs" already exists
the whole schema  | pass  | op.execute("DROP SCHEMA public CASCADE")  | Alembic's own table is gone
a guessed name  | pass  | op.drop_constraint("fk_jobs_company_id", "jobs")\n    op.drop_table("companies")\n    op.drop_table("jobs")  | a guessed constraint name
no name  | pass  | op.drop_constraint(None, "jobs", type_="foreignkey")\n    op.drop_table("companies")\n    op.drop_table("jobs")  | a constraint without a name, dropped by name
drop_all  | pass  | from jobboard.models import Base\n    Base.metadata.drop_all(op.get_bind())  | models imported into a migration
not implemented  | pass  | raise NotImplementedError("no way back")  | NotImplementedError: no way back
calls upgrade  | pass  | upgrade()  | relation "companies" already exists
''',
    ),
    cells(
        "every table that is found",
        CELL + "def downgrade():\n"
        "    for name in sa.inspect(op.get_bind()).get_table_names():\n"
        "        if name != 'alembic_version':\n"
        "            op.execute(f'DROP TABLE {name} CASCADE')\n",
        says="a downgrade that takes too much",
    ),
    cells(
        "a letter is missing",
        CELL + f"def downgrad():\n{BOTH}",
        says="Alembic looks for downgrade(), and the cell has downgrad()",
    ),
    cells(
        "both are called downgrade",
        CELL + f"def downgrade():\n{ex3.COMPANIES_AND_JOBS}\n\ndef downgrade():\n{BOTH}",
        says="two functions of the cell are called downgrade()",
    ),
    cells(
        "a tab among spaces",
        CELL + 'def downgrade():\n    op.drop_table("jobs")\n\top.drop_table("companies")\n',
        says="Line 4 of the cell: op.drop_table",
    ),
    cells(
        "up and down swapped",
        f"{CELL}def upgrade():\n{BOTH}\n\ndef downgrade():\n{ex3.COMPANIES_AND_JOBS}",
        says="upgrade and downgrade are swapped",
    ),
    cells(
        "jobs is not there to drop",
        f"{CELL}def upgrade():\n{ex3.COMPANIES}\n\ndef downgrade():\n{BOTH}",
        says="the way back needs a way there",
    ),
    cells(
        "no downgrade at all",
        BY_HAND + "path.write_text(text[:text.index('def downgrade')])",
        says="Not attempted yet",
    ),
]

RIGHT = [
    *edits(
        SHOWN,
        r'''
in order  | """Downgrade schema."""\n    pass  | op.drop_table("jobs")\n    op.drop_table("companies")
if_exists  | pass  | op.drop_table("jobs", if_exists=True)\n    op.drop_table("companies", if_exists=True)
one statement  | pass  | op.execute("DROP TABLE companies, jobs")
a loop with an f-string  | pass  | for name in ("jobs", "companies"):\n        op.execute(f"DROP TABLE {name}")
the rule first, by its name  | pass  | op.drop_constraint("jobs_company_id_fkey", "jobs")\n    op.drop_table("companies")\n    op.drop_table("jobs")
CASCADE and the rest  | pass  | op.execute("DROP TABLE companies CASCADE")\n    op.drop_table("jobs")
a helper function  | pass  | drop('jobs')\n    drop('companies')\n\n\ndef drop(name):\n    op.drop_table(name)
text on the connection  | pass  | op.get_bind().execute(sa.text("DROP TABLE jobs"))\n    op.drop_table("companies")
''',
    ),
    cells(
        "by hand in the file", BY_HAND + f"path.write_text(text.replace('    pass\\n', {BOTH!r}))"
    ),
]
