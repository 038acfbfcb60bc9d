"""What a trial can judge: rows, names, heads, locks, and the very text that it ran."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbook import project, schema
from workbook.contents import AT_INIT, MODELS, Start
from workbook.exercises import Mistake, Outcome, load
from workbook.exercises.child import Failure, Run, Work
from workbook.exercises.kinds import ROWS, TWO_TABLES, Revision, history
from workbook.exercises.trial import Trial, lay_out, recognised, run
from workbook.server import database as databases

UP = 'op.add_column("companies", sa.Column("user_id", sa.String()))'
FILL = 'op.execute("UPDATE companies SET user_id = {}")'
REQUIRED = 'op.alter_column("companies", "user_id", nullable=False)'
FILLED = [UP, FILL.format("'unknown'"), REQUIRED]
DOWN = 'op.drop_column("companies", "user_id")'
CHECKED = 'op.create_check_constraint("{}", "jobs", "title <> \'\'")'
UNCHECKED = 'op.drop_constraint("{}", "jobs")'


def functions(up: list[str], down: list[str]) -> str:
    bodies = ["".join(f"    {line}\n" for line in lines or ["pass"]) for lines in (up, down)]
    return "def upgrade():\n{}\n\ndef downgrade():\n{}".format(*bodies)


def revision(code: str, **more: Any) -> Revision:
    words = {"task": "a trial", "hints": (), "why": "so", "passed": "this"}
    return Revision(id="7.1", file="trial.py", code=code, shown="pass", **{**words, **more})


@pytest.fixture
def told(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """What a check tells of a source."""
    monkeypatch.chdir(tmp_path)
    (project.workspace() / "practice").mkdir(parents=True)

    def judge(exercise: Revision, source: str) -> Outcome:
        (project.workspace() / "practice" / "trial.py").write_text(source)
        return exercise.judge(None)

    return judge


@pytest.mark.parametrize(
    ("up", "down", "line"),
    [
        (FILLED, [DOWN], ""),
        ([UP, FILL.format("name || ''"), REQUIRED], [DOWN], "user_id of the row 1 holds 'Ada Anal"),
        ([*FILLED, 'op.execute("DELETE FROM jobs")'], [DOWN], "rows"),
        ([*FILLED, "op.execute(\"UPDATE companies SET name = 'x'\")"], [DOWN], "rows"),
        (FILLED, [DOWN, "op.execute(\"INSERT INTO companies (name) VALUES ('New')\")"], "rows"),
    ],
)
def test_rows_are_judged(
    told: Callable[..., Outcome], up: list[str], down: list[str], line: str
) -> None:
    exercise = revision(functions(FILLED, [DOWN]), exact=True)
    outcome = told(exercise, functions(up, down))
    assert outcome.kind == ("done" if not line else "mistake" if line == "rows" else "not yet")
    assert line in f"{outcome.mistake} {outcome.lines}"


def test_rows_that_the_reference_changes_are_not_asked_for(told: Callable[..., Outcome]) -> None:
    change = 'op.execute("UPDATE jobs SET title = upper(title)")'
    exercise = revision(functions([UP, change], [DOWN]))
    assert told(exercise, functions([UP, change], [DOWN])).kind == "done"
    assert told(exercise, functions([change, UP], [DOWN])).kind == "done"


def test_the_application_works_on_after_the_upgrade(told: Callable[..., Outcome]) -> None:
    new = "INSERT INTO companies (id, name) VALUES ({}, 'New')"
    by_id, without = f'op.execute("{new.format(9)}")', new.format("DEFAULT")
    keep = "op.execute(\"SELECT setval('companies_id_seq', 9)\")"
    exercise = revision(
        functions([UP, by_id, keep], [DOWN, 'op.execute("DELETE FROM companies WHERE id = 9")']),
        start=replace(TWO_TABLES, rows=""),
        then=without,
        exact=True,
    )
    assert told(exercise, exercise.filled).kind == "done"
    twice = told(exercise, exercise.filled.replace(keep, keep.replace("9", "8")))
    assert twice.mistake == "ids that the sequence does not know"
    later = told(exercise, exercise.filled.replace(keep, keep.replace("9", "19")))
    assert later.lines[0].startswith("After what the application did then, a row of companies is")


@pytest.mark.parametrize("names", [True, False])
def test_names_are_judged_where_they_are_the_point(
    told: Callable[..., Outcome], names: bool
) -> None:
    code = functions([CHECKED.format("ck_title")], [UNCHECKED.format("ck_title")])
    outcome = told(revision(code, names=names), code.replace("ck_title", "other"))
    assert outcome.kind == ("not yet" if names else "done")
    if names:
        assert "Missing: the constraint ck_title, CHECK" in outcome.lines[0]
        assert "Extra: the constraint other, CHECK" in outcome.lines[1]


MAKE = [
    'op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$")',
    'op.execute("CREATE TRIGGER t BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION f()")',
]
UNMAKE = ['op.execute("DROP TRIGGER t ON jobs")', 'op.execute("DROP FUNCTION f()")']


def test_triggers_and_functions_are_judged_where_they_were_there(
    told: Callable[..., Outcome],
) -> None:
    """A new one may have any name; it goes on the way back, and one that went comes back."""
    made = revision(functions(MAKE, UNMAKE))
    assert told(made, made.filled.replace("TRIGGER t", "TRIGGER other")).kind == "done"
    left = told(made, functions(MAKE, UNMAKE[:1]))
    assert left.lines == ("After the downgrade, the function f() is still there.",)
    rows = "\n".join(line[len('op.execute("') : -2] + ";" for line in MAKE)
    gone = revision(functions(UNMAKE, MAKE), start=replace(TWO_TABLES, rows=rows))
    assert told(gone, gone.filled).kind == "done"
    left = told(gone, functions(UNMAKE[:1], MAKE[1:]))
    assert left.lines == ("After the upgrade, the function f() is still there.",)
    lost = told(gone, functions(UNMAKE, MAKE[:1]))
    assert lost.lines[0] == "After the downgrade, the trigger t on jobs is gone."


def test_locks_are_seen_statement_by_statement(told: Callable[..., Outcome]) -> None:
    seen: list[Run] = []
    look = Mistake("a look", "", shown_by=lambda trial: bool(seen.extend([trial.run])))  # type: ignore[func-returns-value]
    code = functions([UP, 'op.execute("SELECT count(*) FROM jobs")'], [DOWN])
    assert told(revision(code, locks=True, mistakes=(look,)), code).kind == "done"
    step = seen[0].after("upgrade")
    assert step
    added = {statement.split()[0]: locks for statement, locks in step.locks if locks}
    assert added["ALTER"] == {("companies", "AccessExclusiveLock")}
    assert added["SELECT"] >= {("jobs", "AccessShareLock")}


@pytest.fixture
def forked(database: str, tmp_path: Path) -> Iterator[Path]:
    """A project with two heads after the first revision."""
    versions = lay_out(tmp_path / "project", history(AT_INIT))
    for name in ("a", "b"):
        text = f"from alembic import op\nrevision, down_revision = {name!r}, {AT_INIT[0]!r}\n"
        table = f'    op.{{}}_table("{name}s")\n'
        text += f"def upgrade():\n{table.format('create')}def downgrade():\n{table.format('drop')}"
        (versions / f"{name}.py").write_text(text)
    yield tmp_path / "project"


def test_two_heads_are_seen_and_merged(forked: Path) -> None:
    refused = run("migrations", Work(forked, AT_INIT, ROWS))
    assert (refused.failure.name, refused.failure.message) == ("heads", "a, b")
    both = run("migrations", Work(forked, AT_INIT, ROWS, heads=2))
    assert not both.failure and [step.name for step in both.steps][-1] == "upgrade again"
    merge = (
        "revision, down_revision = 'm', ('a', 'b')\ndef upgrade(): pass\ndef downgrade(): pass\n"
    )
    (forked / "alembic" / "versions" / "m.py").write_text(merge)
    merged = run("migrations", Work(forked, ("a", "b"), ROWS))
    assert not merged.failure, merged.failure
    before, down = merged.after("before"), merged.after("downgrade")
    assert before and down
    assert before.schema == down.schema != schema.Schema({})


def test_only_the_text_that_was_run_is_judged(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right first revision is right, whatever a later one does."""
    from workbook.author import contract

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    databases.connect_environment()
    exercise = load("2.3")
    contract.begin(exercise)
    contract.run(exercise.solution)
    later = "from alembic import op\nrevision, down_revision = 'later', '1f3a9c5e7b20'\n"
    later += "def upgrade():\n    op.get_bind().commit()\ndef downgrade(): pass\n"
    Path("alembic/versions/later.py").write_text(later)
    assert exercise.judge(None).kind == "done"


def test_a_mistake_of_the_step_comes_before_what_shows_and_after_the_exercises_own() -> None:
    failure = Failure("upgrade", "KeyError", "x", "Line 3 of the cell: x")
    trial = Trial(Run(failure=failure), Run())
    shows, another, step, own = (
        Mistake(name, "", shown_by=lambda trial: "here", step=name if "grade" in name else "")
        for name in ("shows", "downgrade", "upgrade", "own")
    )
    outcomes = [recognised(trial, first, [shows, another, step]) for first in ((own,), ())]
    assert [each.mistake for each in outcomes if each] == ["own", "upgrade"]
    assert outcomes[1] and outcomes[1].lines == ("here", "Line 3 of the cell: x")


def test_a_trial_without_an_upgrade_is_not_the_goal() -> None:
    trial = Trial(Run(), Run())
    assert (trial.up, trial.down, trial.before) == (None, None, schema.Schema({}))


def test_a_start_may_have_rows_of_its_own(told: Callable[..., Outcome]) -> None:
    rows = "INSERT INTO companies (name) VALUES (repeat('x', 50))"
    narrow = 'op.alter_column("companies", "name", type_=sa.String({}))'
    start = Start("a long name", MODELS, AT_INIT, AT_INIT, rows)
    code = functions([narrow.format(60)], [narrow.format(50)])
    outcome = told(revision(code, start=start), code.replace("60", "40"))
    assert outcome.mistake == "a value that is too long"


def test_a_migration_is_tried_on_each_machine(told: Callable[..., Outcome]) -> None:
    rule = "ALTER TABLE jobs ADD CONSTRAINT {} UNIQUE (title);"
    here, there = (
        replace(TWO_TABLES, words=name, rows=TWO_TABLES.rows + rule.format(name))
        for name in ("here", "there")
    )
    code = functions([UNCHECKED.format(each) for each in ("here", "there")], [])
    code = code.replace('"jobs")', '"jobs", if_exists=True)')
    exercise = revision(code, start=here, also=(there,), down=False)
    assert told(exercise, code).kind == "done"
    outcome = told(exercise, functions([UNCHECKED.format("here")], []))
    assert outcome.lines[0] == "Tried on there."
    assert outcome.mistake == "a guessed constraint name"


def test_the_convention_names_what_is_left_unnamed(told: Callable[..., Outcome]) -> None:
    name = "uq_companies_name"
    up = 'op.create_unique_constraint({}, "companies", ["name"])'
    down = [f'op.drop_constraint("{name}", "companies")']
    code = functions([up.format(f'"{name}"')], down)
    unnamed = functions([up.format(None)], down)
    assert told(revision(code, names=True, convention=True), unnamed).kind == "done"
    assert told(revision(code, names=True), unnamed).mistake == "a guessed constraint name"


def test_a_row_is_named_by_the_id_that_it_has() -> None:
    goal = [{"text": "Nights.", "job_id": 7}, {"text": "Days.", "job_id": 8}]
    told = schema.rows_differ("job_texts", [{"text": "x", "job_id": 7}, goal[1]], goal)
    assert told == ["job_texts.text of the row 7 holds 'x'."]
    assert schema.rows_differ("job_texts", [goal[0], {"text": "x", "job_id": 9}], [goal[0]])
    assert schema.rows_differ("job_texts", [], []) == []


ONCE = 'op.execute("ALTER TABLE companies ADD IF NOT EXISTS user_id varchar")'
LEFT = functions([ONCE], ["pass"])  # what belongs to an older revision stays on the way back
TAKEN = functions([ONCE], [DOWN])


@pytest.mark.parametrize("reference", [LEFT, TAKEN])
@pytest.mark.parametrize("answer", [LEFT, TAKEN])
def test_the_way_back_leads_to_where_that_of_the_reference_does(
    reference: str, answer: str, told: Callable[..., Outcome]
) -> None:
    outcome = told(revision(reference), answer)
    assert (outcome.kind == "done") == (answer == reference), outcome


@pytest.mark.parametrize("whole", [True, False])
def test_a_whole_file_comes_after_the_revision_that_it_names(
    whole: bool, told: Callable[..., Outcome]
) -> None:
    """Elsewhere the exercise gives the ids, and what the answer says of them does not count."""
    file = (
        'from alembic import op\nimport sqlalchemy as sa\nrevision = "aa"\ndown_revision = "{}"\n'
    )
    exercise = revision(file.format(AT_INIT[0]) + TAKEN, whole=whole)
    assert told(exercise, file.format(AT_INIT[0]) + TAKEN).kind == "done"
    elsewhere = told(exercise, file.format("bb") + TAKEN)
    assert (elsewhere.kind == "done") == (not whole), elsewhere
