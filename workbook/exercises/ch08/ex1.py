"""8.1  Drop a rule whose name differs from machine to machine."""

from workbook.contents import MAPPED, OWNED, Start
from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

OTHER = """
INSERT INTO companies (user_id, name) VALUES ('ada', 'Ada Analytics'), ('cy', 'Cedar Clinic');
INSERT INTO jobs (title, description, company_id) VALUES ('Analyst', 'Asks.', 1), ('Nurse', 'Nights.', 2);
ALTER TABLE jobs ADD UNIQUE (company_id, description);
"""
RULE = "ALTER TABLE jobs ADD {} UNIQUE (company_id, title);"


def machine(words: str, *rules: str) -> Start:
    """A machine on which the rule was typed like this."""
    return Start(words, MAPPED, (OWNED,), (OWNED,), OTHER + "".join(rules))


def too_much(trial: Trial) -> str:
    """The other rule, where it has gone."""
    kept = "UNIQUE (company_id, description)"
    rules = trial.up.tables["jobs"].constraints if trial.up and "jobs" in trial.up.tables else ()
    there = trial.up is None or kept in [each.definition for each in rules]
    return "" if there else f"Gone: {kept}."


EXERCISE = Revision(
    file="drop_rule.py",
    start=machine("the machine that has the rule twice", RULE.format(""), RULE.format("")),
    also=(
        machine("the machine that calls the rule one_title", RULE.format("CONSTRAINT one_title")),
        machine("the machine that never had the rule"),
    ),
    names=True,
    down=False,
    code="""
def upgrade() -> None:
    for rule in sa.inspect(op.get_bind()).get_unique_constraints("jobs"):
        if rule["column_names"] == ["company_id", "title"]:
            op.drop_constraint(rule["name"], "jobs")


def downgrade() -> None:
    pass
""",
    shown="""
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
""",
    mistakes=(
        Mistake(
            "a name that this machine does not have",
            "The rule is called otherwise here, or is not there at all.",
            "Do not write the name down: let the migration ask for it.",
            lambda t: t.failed("UndefinedObject", "constraint"),
            step="upgrade",
        ),
        Mistake(
            "nothing has been dropped",
            "The upgrade went through, and all the rules are still there: what your code looks for, it never found.",
            "The inspector was asked about a table, and what it gives is compared with something. Look at both.",
            lambda t: t.up is not None and t.up == t.before != t.goal,
        ),
        Mistake(
            "a rule is more than its name",
            "The inspector gives a dict for each rule. Its name is one of the values.",
            "Take the value out of the dict, as you did with the columns.",
            lambda t: t.failed("TypeError", "unhashable"),
            step="upgrade",
        ),
        Mistake(
            "another question to the inspector",
            "Rules come with column_names. What your question gave has other keys, so it is about something else.",
            "Compare the question with the one in the section above.",
            lambda t: t.failed("KeyError"),
            step="upgrade",
        ),
        Mistake(
            "a rule that was to stay",
            "The table has more than one rule, and only one of them has to go.",
            "What tells them apart? The inspector says it.",
            too_much,
        ),
    ),
    task="drop a rule, whatever it is called",
    hints=(
        "The inspector of the section above takes a connection as well as an engine, and a migration has one.",
        "It gives a list of rules: go through all of them, and look at the columns of each.",
        'Drop those whose "column_names" are company_id and title, by their "name".',
    ),
    why="What a rule is about is the same everywhere. The name is read from the database that is being changed.",
    passed="You can write one migration for machines that do not agree.",
)

NAMED = 'op.drop_constraint("jobs_company_id_title_key", "jobs")'
LOOP = EXERCISE.filled.partition("\n")[2].partition("\n\n")[0].strip().replace("\n", r"\n")
COLUMNS = 'if rule["column_names"] == ["company_id", "title"]:'
WRONG = edits(
    EXERCISE.filled,
    rf"""
by the name on this machine  | {LOOP}  | {NAMED}  | Extra: the constraint jobs_company_id_title_key1
both names of one machine  | {LOOP}  | {NAMED}\n    op.drop_constraint("jobs_company_id_title_key1", "jobs")  | a name that this machine does not have
IF EXISTS  | {LOOP}  | op.drop_constraint("jobs_company_id_title_key", "jobs", if_exists=True)  | Extra: the constraint
all three names  | {LOOP}  | {NAMED}\n    op.drop_constraint("jobs_company_id_title_key1", "jobs")\n    op.drop_constraint("one_title", "jobs")  | a name that this machine does not have
every rule of the table  | {COLUMNS}  | if True:  | a rule that was to stay
only the first  | op.drop_constraint(rule["name"], "jobs")  | op.drop_constraint(rule["name"], "jobs")\n            break  | Extra: the constraint jobs_company_id_title_key1
the columns as a tuple  | ["company_id", "title"]:  | ("company_id", "title"):  | nothing has been dropped
the columns the other way round  | ["company_id", "title"]:  | ["title", "company_id"]:  | nothing has been dropped
a set and not a list of names  | == ["company_id", "title"]  | == "company_id, title"  | nothing has been dropped
the rule in place of its name  | rule["name"], "jobs"  | rule, "jobs"  | a rule is more than its name
another table  | constraints("jobs")  | constraints("companies")  | nothing has been dropped
the inspector of an engine  | op.get_bind()  | sa.create_engine("postgresql+psycopg2://")  | two transactions in one migration
as an index  | op.drop_constraint(rule["name"], "jobs")  | op.drop_index(rule["name"], "jobs")  | drop_index
without sa.  | sa.inspect  | inspect  | sa. is missing
keys in place of rules  | get_unique_constraints("jobs")  | get_foreign_keys("jobs")  | another question to the inspector
table and name swapped  | rule["name"], "jobs"  | "jobs", rule["name"]  | the constraint's name comes first
the column goes  | {LOOP}  | op.drop_column("jobs", "title")  | Missing: the column jobs.title
errors are swallowed  | {LOOP}  | try:\n        {NAMED}\n    except Exception:\n        pass  | an error that is swallowed
drops what only one machine has  | op.drop_constraint(rule["name"], "jobs")  | op.drop_constraint(rule["name"], "jobs")\n    op.drop_constraint("one_title", "jobs")  | a name that this machine does not have
""",
)
RIGHT = edits(
    EXERCISE.filled,
    rf"""
as a set  | rule["column_names"] == ["company_id", "title"]  | set(rule["column_names"]) == {{"company_id", "title"}}
in SQL  | {LOOP}  | names = "SELECT conname FROM pg_constraint WHERE conrelid = 'jobs'::regclass AND pg_get_constraintdef(oid) = 'UNIQUE (company_id, title)'"\n    for name in op.get_bind().execute(sa.text(names)).scalars().all():\n        op.drop_constraint(name, "jobs")
a DO block  | {LOOP}  | op.execute("DO $$ DECLARE r record; BEGIN FOR r IN SELECT conname FROM pg_constraint WHERE conrelid = 'jobs'::regclass AND pg_get_constraintdef(oid) = 'UNIQUE (company_id, title)' LOOP EXECUTE 'ALTER TABLE jobs DROP CONSTRAINT ' || quote_ident(r.conname); END LOOP; END $$")
with its kind  | rule["name"], "jobs"  | rule["name"], "jobs", type_="unique"
all names that are known, IF EXISTS  | {LOOP}  | for name in ("jobs_company_id_title_key", "jobs_company_id_title_key1", "one_title"):\n        op.drop_constraint(name, "jobs", if_exists=True)
""",
)
