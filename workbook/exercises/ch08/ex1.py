"""8.1  Drop a rule whose name differs from machine to machine."""

import ast

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


def drops(trial: Trial) -> bool:
    """Whether the upgrade has anything that drops, in Python or in SQL."""
    functions = [each for each in trial.tree.body if isinstance(each, ast.FunctionDef)]
    return any("drop" in ast.unparse(f).lower() for f in functions if f.name == "upgrade")


def one_left(trial: Trial) -> str:
    """The rule where it stands there once more, though one of the two has gone."""
    if any(isinstance(each, ast.Try) for each in ast.walk(trial.tree)):
        return ""  # what is swallowed has a mistake of its own
    rule = "UNIQUE (company_id, title)"
    states = [trial.before, *filter(None, [trial.up])]
    counts = [
        [each.definition for each in state.tables["jobs"].constraints].count(rule)
        for state in states
        if "jobs" in state.tables
    ]
    return f"Still there: {rule}." if counts == [2, 1] else ""


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
            "an upgrade that drops nothing",
            "The upgrade went through, and no line in it takes a rule away.",
            "To find a rule is one half. The other half has to be in upgrade(), too.",
            lambda t: t.up is not None and t.up == t.before != t.goal and not drops(t),
        ),
        Mistake(
            "one of two",
            "This machine has the rule twice, and one of the two is gone.",
            "Ask for all that match, and drop each.",
            one_left,
        ),
        Mistake(
            "as many as the machine has",
            "A machine may have the rule twice, once or not at all, and this line takes only one number.",
            "A loop goes as many times as there is something.",
            lambda t: t.failed("ValueError", "unpack") or t.failed("IndexError"),
            step="upgrade",
        ),
        Mistake(
            "a variable of the notebook",
            "A revision is a file of its own. What a cell of the notebook has made is not there.",
            "Ask the inspector anew in upgrade(), over the connection of the migration.",
            lambda t: t.unknown() == "found",
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
            lambda t: t.failed("TypeError", "unhashable") or t.failed("AttributeError", "'dict'"),
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
by the name on this machine  | {LOOP}  | {NAMED}  | one of two
both names of one machine  | {LOOP}  | {NAMED}\n    op.drop_constraint("jobs_company_id_title_key1", "jobs")  | a name that this machine does not have
IF EXISTS  | {LOOP}  | op.drop_constraint("jobs_company_id_title_key", "jobs", if_exists=True)  | one of two
all three names  | {LOOP}  | {NAMED}\n    op.drop_constraint("jobs_company_id_title_key1", "jobs")\n    op.drop_constraint("one_title", "jobs")  | a name that this machine does not have
every rule of the table  | {COLUMNS}  | if True:  | a rule that was to stay
only the first  | op.drop_constraint(rule["name"], "jobs")  | op.drop_constraint(rule["name"], "jobs")\n            break  | one of two
the columns as a tuple  | ["company_id", "title"]:  | ("company_id", "title"):  | nothing has been dropped
the columns the other way round  | ["company_id", "title"]:  | ["title", "company_id"]:  | nothing has been dropped
a set and not a list of names  | == ["company_id", "title"]  | == "company_id, title"  | nothing has been dropped
exactly one  | {LOOP}  | [rule] = sa.inspect(op.get_bind()).get_unique_constraints("jobs")\n    op.drop_constraint(rule["name"], "jobs")  | as many as the machine has
in the downgrade  | def upgrade  | def other  | def downgrade  | def upgrade  | def other  | def downgrade  | an upgrade that drops nothing
a look and no more  | op.drop_constraint(rule["name"], "jobs")  | print(rule["name"])  | an upgrade that drops nothing
the notebook's inspector  | sa.inspect(op.get_bind())  | found  | a variable of the notebook
an attribute  | rule["column_names"]  | rule.column_names  | a rule is more than its name
the rule in place of its name  | rule["name"], "jobs"  | rule, "jobs"  | a rule is more than its name
another table  | constraints("jobs")  | constraints("companies")  | nothing has been dropped
the inspector of an engine  | op.get_bind()  | sa.create_engine("postgresql+psycopg2://")  | two transactions in one migration
as an index  | op.drop_constraint(rule["name"], "jobs")  | op.drop_index(rule["name"], "jobs")  | drop_index
without sa.  | sa.inspect  | inspect  | sa. is missing
keys in place of rules  | get_unique_constraints("jobs")  | get_foreign_keys("jobs")  | another question to the inspector
table and name swapped  | rule["name"], "jobs"  | "jobs", rule["name"]  | the name comes before the table
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
