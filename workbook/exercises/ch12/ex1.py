"""12.1  Expand: a second column, and what keeps both equal."""

import re

from workbook.contents import CONVENTION, RULED, Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

ROWS = """
INSERT INTO companies (user_id, name, website) VALUES
    ('ada', 'Ada Analytics', NULL), ('bo', 'Borealis Books', 'https://borealis.example'),
    ('cy', 'Cedar Clinic', 'https://cedar.example');
"""
# The old application writes website alone; the new one maps both columns, and sets homepage.
USE = """
INSERT INTO companies (user_id, name, website) VALUES
    ('old', 'Posted by the old', 'https://old.example'),
    ('old', 'Moved by the old', 'https://before.example'),
    ('old', 'Emptied by the new', 'https://full.example');
INSERT INTO companies (user_id, name, website, homepage) VALUES
    ('new', 'Posted by the new', NULL, 'https://new.example'),
    ('new', 'Moved by the new', NULL, 'https://before.example'),
    ('new', 'Emptied by the old', NULL, 'https://full.example');
UPDATE companies SET website = 'https://moved.example' WHERE name = 'Moved by the old';
UPDATE companies SET user_id = 'both' WHERE name = 'Cedar Clinic';
INSERT INTO companies (user_id, name, website)
SELECT 'old', 'Touched before the copy', website FROM companies WHERE name = 'Cedar Clinic';
UPDATE companies SET website = 'https://moved.example' WHERE user_id IN ('bo', 'both');
UPDATE companies SET homepage = 'https://moved.example' WHERE name = 'Moved by the new';
UPDATE companies SET website = NULL WHERE name = 'Emptied by the old';
UPDATE companies SET homepage = NULL WHERE name = 'Emptied by the new';
UPDATE companies SET user_id = 'both' WHERE name = 'Posted by the old';
"""


WANTED = {  # in both columns, in the order of the rows
    "Posted by the old": "https://old.example",
    "Moved by the old": "https://moved.example",
    "Emptied by the new": None,
    "Posted by the new": "https://new.example",
    "Moved by the new": "https://moved.example",
    "Emptied by the old": None,
}


def missed(trial: Trial, application: str) -> str:
    """In words, the first company of which an application does not see the other's last change.

    Nothing where it is a change of the other's, or none.
    """
    step = trial.run.after("in use")
    rows = {row["name"]: row for row in step.rows.get("companies", [])} if step else {}
    for name, page in WANTED.items():
        row, (what, *_, by) = rows.get(name, {}), name.split()
        other = "homepage" if by == "old" else "website"
        if row and row.get(other) != page:
            told = f"A company was {what.lower()} by the {by} application: look at its {other}."
            return told if by == application else ""
    return ""


def lost(trial: Trial) -> bool:
    """Whether an UPDATE of a row that nobody has copied yet took its website away."""
    step = trial.run.after("in use")
    rows = step.rows.get("companies", []) if step else []
    kept = ("Touched before the copy", "Borealis Books", "Cedar Clinic")
    return any(row["name"] in kept and not row.get("website") for row in rows)


def copied(trial: Trial) -> object:
    step = trial.run.after("upgrade")
    rows = step.rows.get("companies", []) if step else []
    return any(row.get("homepage") and "website" in row for row in rows)


GONE = Mistake(
    "website is gone",
    "The old application still reads and writes it, and stops with an error from now on.",
    "This step adds, and takes nothing away.",
    lambda trial: trial.up and "website" not in trial.up.tables["companies"].columns,
)
LOST = Mistake(
    "what is not copied yet gets lost",
    "A company that was there before has no homepage yet. After an UPDATE that did not touch homepage,"
    " it had no website either.",
    "An empty homepage that nobody wrote says nothing. Mind that NULL = NULL is not true.",
    lost,
)


COPY = Mistake(
    "the copy is a step of its own",
    "homepage of the rows that were there is filled already. The lock of ADD COLUMN is held until the"
    " transaction ends, so nobody reads a company until the last one is copied.",
    "Leave them to the next revision.",
    copied,
)
OLD = Mistake(
    "what the old application writes is missed",
    "It writes website, now and later, and the new one reads homepage.",
    "Think of an INSERT, of an UPDATE, and of one that sets it to NULL.",
    lambda trial: missed(trial, "old"),
)
NEW = Mistake(
    "what the new application writes is missed",
    "It writes homepage, and the old one goes on reading website until it ends.",
    "Think of an INSERT, of an UPDATE, and of one that sets it to NULL.",
    lambda trial: missed(trial, "new"),
)
TOO_LATE = Mistake(
    "a trigger that comes too late",
    "After the row is written, a change of NEW changes nothing any more.",
    "What is to be written differently has to be changed before.",
    lambda trial: " AFTER INSERT" in " ".join(trial.source.upper().split()),
)
NO_RETURN = Mistake(
    "a function without its result",
    "A trigger's function gives back the row that is to be written.",
    "Its last line before END does that.",
    lambda trial: trial.failed("", "without RETURN") or "without RETURN" in trial.error.message,
    step="in use",
)
OTHER_ROW = Mistake(
    "a function that gives back another row",
    "PostgreSQL writes the row that the function gives back: OLD is the row of before, and none on an"
    " INSERT; NULL writes no row at all.",
    "The row that you have changed is the one to give back.",
    lambda trial: re.search(r"\bRETURN\s+(OLD|NULL)\b", trial.source, re.IGNORECASE),
)
NO_ROW = Mistake(
    "a trigger for the statement",
    "Without more words a trigger is called once for a statement, and knows no NEW and no OLD.",
    "There are three words for: once for each row.",
    lambda trial: (
        "CREATE TRIGGER" in trial.source.upper() and "EACH ROW" not in trial.source.upper()
    ),
)
COMPUTED = Mistake(
    "a column that nobody can write",
    "A generated column follows the other one for ever. The new application writes homepage.",
    "Each has to be written by somebody, and the other has to follow.",
    lambda trial: trial.calls("Computed") or trial.failed("GeneratedAlways"),
)
AGAIN = Mistake(
    "a trigger that calls itself",
    "An UPDATE of the table in its own trigger calls the trigger, which updates the table, and so on.",
    "The row is at hand: change it before it is written.",
    lambda trial: trial.failed("StatementTooComplex"),
    step="in use",
)
MISSING = Mistake(
    "a trigger before its function",
    "A trigger names a function, and that has to be there.",
    "First the function, then the trigger.",
    lambda trial: trial.failed("UndefinedFunction", "function"),
    step="upgrade",
)
HELD = Mistake(
    "the trigger holds on to it",
    "A trigger needs its function, and the columns that it names.",
    "On the way back it goes first.",
    lambda trial: trial.failed("DependentObjectsStillExist"),
    step="downgrade",
)

FUNCTION = '''op.execute("""
        CREATE FUNCTION same_page() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                NEW.homepage := coalesce(NEW.homepage, NEW.website);
                NEW.website := NEW.homepage;
            ELSIF NEW.homepage IS DISTINCT FROM OLD.homepage THEN
                NEW.website := NEW.homepage;
            ELSIF NEW.website IS DISTINCT FROM OLD.website THEN
                NEW.homepage := NEW.website;
            END IF;
            RETURN NEW;
        END $$
    """)'''
TRIGGER = '''op.execute("""
        CREATE TRIGGER same_page BEFORE INSERT OR UPDATE OF homepage, website ON companies
        FOR EACH ROW EXECUTE FUNCTION same_page()
    """)'''
PASS = "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"

EXERCISE = Revision(
    file="expand.py",
    start=Start("companies with a website, or without", CONVENTION, (RULED,), (RULED,), ROWS),
    convention=True,
    exact=True,
    then=USE,
    code=f"""
def upgrade() -> None:
    op.add_column("companies", sa.Column("homepage", sa.String(200)))
    {FUNCTION}
    {TRIGGER}


def downgrade() -> None:
    op.execute("DROP TRIGGER same_page ON companies")
    op.execute("DROP FUNCTION same_page()")
    op.drop_column("companies", "homepage")
""",
    shown=PASS,
    mistakes=(
        GONE,
        COMPUTED,
        COPY,
        TOO_LATE,
        NO_RETURN,
        OTHER_ROW,
        NO_ROW,
        AGAIN,
        MISSING,
        HELD,
        OLD,
        NEW,
        LOST,
    ),
    task="add a column beside another, and keep both equal",
    hints=(
        "Three things on the way up: the column, a function, a trigger that calls it. They go in the"
        " other order.",
        "The function that keeps city and location equal says it all, but for the names.",
        "On an INSERT take whichever is given; on an UPDATE the one that differs from OLD.",
    ),
    why="Both applications find what the other has written, so both may serve. The rows that are there"
    " come next, in a step that makes nobody wait.",
    passed="You can put a new column beside the old one, under two applications.",
)

CODE = EXERCISE.filled
ADD = 'op.add_column("companies", sa.Column("homepage", sa.String(200)))'
COMPUTED_ADD = ADD.replace("(200)", '(200), sa.Computed("website", persisted=True)')
DROP = 'op.drop_column("companies", "homepage")'
WRONG = [
    cells("nothing", EXERCISE.header + "\n" + PASS, says="Not attempted yet"),
    cells(
        "the column alone",
        EXERCISE.header + "\n" + PASS.replace("pass", ADD, 1).replace("pass", DROP),
        says=OLD.name,
    ),
    cells(
        "a generated column",
        EXERCISE.header + "\n" + PASS.replace("pass", COMPUTED_ADD, 1).replace("pass", DROP),
        says=COMPUTED.name,
    ),
    *edits(
        CODE,
        r'''
the old one's inserts are missed  | NEW.homepage := coalesce(NEW.homepage, NEW.website);  | NEW.website := coalesce(NEW.website, NEW.homepage);  | what the old application writes is missed
one way only  | NEW.website := NEW.homepage;  | NULL;  | what the new application writes is missed
inserts only  | INSERT OR UPDATE OF homepage, website  | INSERT  | what the old application writes is missed
updates only  | INSERT OR UPDATE OF homepage, website  | UPDATE  | what the old application writes is missed
the new column's updates alone  | UPDATE OF homepage, website  | UPDATE OF homepage  | what the old application writes is missed
NULL does not differ  | NEW.homepage IS DISTINCT FROM OLD.homepage  | NEW.homepage <> OLD.homepage  | what the new application writes is missed
the old column wins  | NEW.homepage IS DISTINCT FROM OLD.homepage THEN  | NEW.website IS NOT NULL THEN\n                NEW.homepage := NEW.website;\n            ELSIF NEW.homepage IS DISTINCT FROM OLD.homepage THEN  | what the new application writes is missed
after the row  | BEFORE INSERT  | AFTER INSERT  | a trigger that comes too late
for the statement  | FOR EACH ROW EXECUTE  | EXECUTE  | a trigger for the statement
no result  | \s           RETURN NEW;\n  |  | a function without its result
nothing is written  | RETURN NEW  | RETURN NULL  | a function that gives back another row
the row of before  | RETURN NEW  | RETURN OLD  | a function that gives back another row
NULL = NULL  | ELSIF NEW.homepage IS DISTINCT FROM OLD.homepage THEN\n                NEW.website := NEW.homepage;\n            ELSIF NEW.website IS DISTINCT FROM OLD.website THEN\n                NEW.homepage := NEW.website;  | ELSIF NEW.homepage = OLD.homepage THEN\n                NEW.homepage := NEW.website;\n            ELSE\n                NEW.website := NEW.homepage;  | what is not copied yet gets lost
copied as well  | FOR EACH ROW EXECUTE FUNCTION same_page()\n    """)  | FOR EACH ROW EXECUTE FUNCTION same_page()\n    """)\n    op.execute("UPDATE companies SET homepage = website")  | the copy is a step of its own
required  | sa.String(200))  | sa.String(200), nullable=False)  | NOT NULL on a table that holds rows
another length  | 200  | 100  | another length
the function stays  | \s   op.execute("DROP FUNCTION same_page()")\n  |  | After the downgrade, the function same_page() is still there.
the trigger stays  | \s   op.execute("DROP TRIGGER same_page ON companies")\n  |  | the trigger holds on to it
the function goes first  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")  | op.execute("DROP FUNCTION same_page()")\n    op.execute("DROP TRIGGER same_page ON companies")  | the trigger holds on to it
website goes on the way back  | drop_column("companies", "homepage")  | drop_column("companies", "website")  | The downgrade does not lead back
renamed  | add_column("companies", sa.Column("homepage", sa.String(200)))  | alter_column("companies", "website", new_column_name="homepage")  | UndefinedColumn
a word too few  | RETURNS trigger LANGUAGE  | LANGUAGE  | function result type must be specified
''',
    ),
]
RIGHT = [
    *edits(
        CODE,
        r"""
called for every update  | UPDATE OF homepage, website  | UPDATE
without the last condition  | ELSIF NEW.website IS DISTINCT FROM OLD.website THEN  | ELSE
another name for the trigger  | TRIGGER same_page  | TRIGGER website_and_homepage
the trigger goes with its function  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")  | op.execute("DROP FUNCTION same_page() CASCADE")
the column in SQL  | op.add_column("companies", sa.Column("homepage", sa.String(200)))  | op.execute("ALTER TABLE companies ADD homepage varchar(200)")
the old column's change first  | ELSIF NEW.homepage IS DISTINCT FROM OLD.homepage THEN\n                NEW.website := NEW.homepage;\n            ELSIF NEW.website IS DISTINCT FROM OLD.website THEN\n                NEW.homepage := NEW.website;  | ELSIF NEW.website IS DISTINCT FROM OLD.website THEN\n                NEW.homepage := NEW.website;\n            ELSE\n                NEW.website := NEW.homepage;
""",
    ),
]
