"""12.4  Contract: the old column goes, and can come back."""

from workbook.contents import CONVENTION, RULED, Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

FUNCTION = '''
FUNCTION = """
CREATE FUNCTION same_page() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.homepage := coalesce(NEW.homepage, NEW.website);
    ELSIF NEW.homepage IS NOT DISTINCT FROM OLD.homepage THEN
        NEW.homepage := NEW.website;
    END IF;
    NEW.website := NEW.homepage;
    RETURN NEW;
END $$
"""
'''
MAKE = FUNCTION.split('"""')[1].strip()
TRIGGER = """CREATE TRIGGER same_page BEFORE INSERT OR UPDATE OF homepage, website ON companies
        FOR EACH ROW EXECUTE FUNCTION same_page()"""
ROWS = f"""
ALTER TABLE companies ADD homepage varchar(200);
{MAKE};
{TRIGGER};
INSERT INTO companies (user_id, name, website) VALUES
    ('ada', 'Ada Analytics', NULL), ('bo', 'Borealis Books', 'https://borealis.example'),
    ('cy', 'Cedar Clinic', 'https://cedar.example');
"""
USE = """
INSERT INTO companies (user_id, name, homepage) VALUES ('dee', 'Dee Designs', 'https://dee.example');
UPDATE companies SET homepage = 'https://clinic.example' WHERE name = 'Cedar Clinic';
"""
# After the way back the release before serves, and the one after it may: both columns are written.
BACK = """
INSERT INTO companies (user_id, name, website) VALUES ('old', 'Posted by the old', 'https://old.example');
INSERT INTO companies (user_id, name, homepage) VALUES ('new', 'Posted by the new', 'https://new.example');
UPDATE companies SET website = 'https://moved.example' WHERE name = 'Borealis Books';
UPDATE companies SET homepage = 'https://moved.example' WHERE name = 'Cedar Clinic';
"""


def there(trial: Trial) -> bool:
    """Whether the way back leads to the columns of before, and to a trigger of that name."""
    step = trial.run.after("downgrade")
    routines = step.routines if step else ()
    return trial.down == trial.back and "trigger same_page on companies" in routines


def unequal(trial: Trial) -> str:
    """In words, the first company that the trigger of the way back leaves with two pages."""
    step = trial.run.after("in use again")
    for row in step.rows.get("companies", []) if step else []:
        if row.get("website") != row.get("homepage"):
            return (
                f"{row['name']}: website is {row.get('website')}, homepage {row.get('homepage')}."
            )
    return ""


def emptied(trial: Trial) -> bool:
    """Whether the old column is there again after the downgrade, without its values."""
    step = trial.run.after("downgrade")
    rows = step.rows.get("companies", []) if step else []
    return any("website" in row and row["website"] != row.get("homepage") for row in rows)


STANDS = Mistake(
    "the trigger stands on it",
    "A trigger needs its function, and the columns that it names: PostgreSQL drops neither while it is"
    " there.",
    "What nothing else needs goes first.",
    lambda trial: trial.failed("DependentObjectsStillExist"),
    step="upgrade",
)
CASCADE = Mistake(
    "CASCADE where nobody has counted",
    "It takes whatever stands on the column, known to you or not: a view that somebody made last week,"
    " too.",
    "Name what goes, and let PostgreSQL refuse where there is more.",
    lambda trial: "website CASCADE" in trial.source or "postgresql_cascade" in trial.source,
)
EMPTY = Mistake(
    "a column that comes back without its values",
    "Its values went with it. The other column has the same ones, and those written since.",
    "It takes one more statement on the way back.",
    emptied,
)
LATE = Mistake(
    "a trigger before its function or its column",
    "CREATE TRIGGER names both, so both have to be there.",
    "The way back makes in the other order what the way up has dropped.",
    lambda trial: (
        trial.failed("UndefinedFunction", "function")
        or trial.failed("UndefinedColumn", '"companies"')
    ),
    step="downgrade",
)
OLD = Mistake(
    "the wrong one of two",
    "The release that serves reads and writes homepage.",
    "Nothing that runs names the other one.",
    lambda trial: (
        trial.run.after("upgrade")
        and trial.up
        and "homepage" not in trial.up.tables["companies"].columns
    ),
)
LESS = Mistake(
    "a trigger that does less than before",
    "After the way back both releases may write again, and the trigger that came back does not follow"
    " all that they write.",
    "Compare its words with the expand step's: when, on what, of which columns, for what.",
    lambda trial: there(trial) and (unequal(trial) or trial.error.step == "in use again"),
)
PASS = "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"

EXERCISE = Revision(
    file="contract.py",
    start=Start("both columns, and the trigger", CONVENTION, (RULED,), (RULED,), ROWS),
    exact=True,
    then=USE,
    then_back=BACK,
    code=f'''{FUNCTION}

def upgrade() -> None:
    op.execute("DROP TRIGGER same_page ON companies")
    op.execute("DROP FUNCTION same_page()")
    op.drop_column("companies", "website")


def downgrade() -> None:
    op.add_column("companies", sa.Column("website", sa.String(200)))
    op.execute("UPDATE companies SET website = homepage")
    op.execute(FUNCTION)
    op.execute("""
        {TRIGGER}
    """)
''',
    shown=f"{FUNCTION}\n\n{PASS}",
    mistakes=(OLD, STANDS, CASCADE, LATE, EMPTY, LESS),
    task="take the old column away, with a way back",
    hints=(
        "On the way up three things go, and the first is the one that needs the other two.",
        "On the way back: the column, its values, the function, the trigger.",
        "CREATE TRIGGER stands in this chapter's expand step: before a row of companies is inserted, or"
        " one of the two columns is updated.",
    ),
    why="What goes is named, so PostgreSQL would refuse if something else stood on the column. The way"
    " back fills it from the other one, with what was written since.",
    passed="You can end a change of many steps, and know what its way back has to bring.",
)

CODE = EXERCISE.filled
WRONG = [
    cells("nothing", EXERCISE.header + "\n" + (EXERCISE.shown or ""), says="Not attempted yet"),
    *edits(
        CODE,
        r'''
the column first  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")\n    op.drop_column("companies", "website")  | op.drop_column("companies", "website")\n    op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")  | the trigger stands on it
the function first  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")  | op.execute("DROP FUNCTION same_page()")\n    op.execute("DROP TRIGGER same_page ON companies")  | the trigger stands on it
the trigger stays  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")\n  |  | the trigger stands on it
the function stays  | \s   op.execute("DROP FUNCTION same_page()")\n  |  | the function same_page() is still there
with CASCADE  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")\n    op.drop_column("companies", "website")  | op.execute("ALTER TABLE companies DROP website CASCADE")\n    op.execute("DROP FUNCTION same_page()")  | CASCADE where nobody has counted
homepage goes  | drop_column("companies", "website")  | drop_column("companies", "homepage")  | the wrong one of two
the column stays  | \s   op.drop_column("companies", "website")\n  |  | Extra: the column companies.website
it comes back empty  | \s   op.execute("UPDATE companies SET website = homepage")\n  |  | a column that comes back without its values
filled the other way round  | SET website = homepage  | SET homepage = website  | homepage
one value for all  | SET website = homepage  | SET website = ''  | a column that comes back without its values
no way back  | def downgrade() -> None:\n    op.add_column("companies", sa.Column("website", sa.String(200)))\n    op.execute("UPDATE companies SET website = homepage")\n    op.execute(FUNCTION)\n    op.execute("""  | def downgrade() -> None:\n    pass\n\n\ndef other() -> None:\n    op.execute("""  | a downgrade that does nothing
no trigger on the way back  | CREATE TRIGGER same_page BEFORE INSERT OR UPDATE OF homepage, website ON companies\n        FOR EACH ROW EXECUTE FUNCTION same_page()  | SELECT 1  | After the downgrade, the trigger same_page on companies is gone
neither on the way back  | op.execute(FUNCTION)\n    op.execute("""\n        CREATE TRIGGER same_page BEFORE INSERT OR UPDATE OF homepage, website ON companies\n        FOR EACH ROW EXECUTE FUNCTION same_page()\n    """)  | pass  | is gone
the trigger before its function  | \s   op.execute(FUNCTION)\n  |  | \s   """)\n  | \s   """)\n    op.execute(FUNCTION)\n  | a trigger before its function or its column
inserts only  | INSERT OR UPDATE OF homepage, website ON  | INSERT ON  | a trigger that does less than before
updates only  | INSERT OR UPDATE OF homepage, website ON  | UPDATE ON  | a trigger that does less than before
one column's updates  | OF homepage, website ON  | OF website ON  | a trigger that does less than before
after the row  | BEFORE INSERT  | AFTER INSERT  | a trigger that does less than before
for the statement  | \n        FOR EACH ROW EXECUTE  | \s EXECUTE  | a trigger that does less than before
another length  | 200  | 100  | website
renamed back  | op.add_column("companies", sa.Column("website", sa.String(200)))\n    op.execute("UPDATE companies SET website = homepage")  | op.alter_column("companies", "homepage", new_column_name="website")  | a trigger before its function or its column
''',
    ),
]
RIGHT = [
    *edits(
        CODE,
        r"""
the function and what calls it  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")  | op.execute("DROP FUNCTION same_page() CASCADE")
all in one statement  | op.execute("DROP TRIGGER same_page ON companies")\n    op.execute("DROP FUNCTION same_page()")\n    op.drop_column("companies", "website")  | op.execute("DROP TRIGGER same_page ON companies; DROP FUNCTION same_page(); ALTER TABLE companies DROP website")
filled where there is something  | SET website = homepage  | SET website = homepage WHERE homepage IS NOT NULL
called for each update  | INSERT OR UPDATE OF homepage, website ON  | INSERT OR UPDATE ON
with sa.table  | op.execute("UPDATE companies SET website = homepage")  | companies = sa.table("companies", sa.column("website"), sa.column("homepage"))\n    op.execute(companies.update().values(website=companies.c.homepage))
""",
    ),
]
