"""8.3  A foreign key on rows that break it."""

from workbook.contents import MAPPED, Start
from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Revision

RULES = ("58bc1e94f06d",)  # jobs and companies have their rules
ROWS = """
INSERT INTO companies (user_id, name) VALUES ('ada', 'Ada Analytics'), ('cy', 'Cedar Clinic');
INSERT INTO jobs (title, description, company_id) VALUES ('Analyst', 'Asks.', 1), ('Nurse', 'Nights.', 2);
CREATE TABLE applications (
    id serial CONSTRAINT pk_applications PRIMARY KEY, job_id integer NOT NULL, email varchar(100)
);
INSERT INTO applications (job_id, email) VALUES
    (1, 'eve@example.com'), (7, 'eve@example.com'), (2, 'finn@example.com'), (9, NULL), (1, NULL);
"""
# The same table with another job and other offenders: ids that were written down do not help.
OTHERS = """
INSERT INTO jobs (id, title, description, company_id) VALUES (9, 'Porter', 'Carries.', 2);
INSERT INTO applications (job_id, email) VALUES (3, 'gus@example.com'), (12, NULL);
"""
DELETE = 'op.execute("DELETE FROM applications WHERE job_id NOT IN (SELECT id FROM jobs)")'
CREATE = 'op.create_foreign_key("fk_applications_job_id_jobs", "applications", "jobs", ["job_id"], ["id"])'
DROP = 'op.drop_constraint("fk_applications_job_id_jobs", "applications")'

EXERCISE = Revision(
    file="tie.py",
    start=Start("a copy with five applications", (*MAPPED, "named"), RULES, RULES, ROWS),
    also=(Start("production, with other rows", (*MAPPED, "named"), RULES, RULES, ROWS + OTHERS),),
    convention=True,
    names=True,
    exact=True,
    code=f"""
def upgrade() -> None:
    {DELETE}
    {CREATE}


def downgrade() -> None:
    {DROP}
""",
    shown="""
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
""",
    mistakes=(
        Mistake(
            "the order of what is handed over",
            "op.create_foreign_key takes text where it is told a name, and a list where columns are meant.",
            "First the name and the two tables, then the two lists.",
            lambda t: t.failed("TypeError", "unhashable") and t.calls("create_foreign_key"),
            step="upgrade",
        ),
        Mistake(
            "a column without its table",
            "Which table it is stands before the columns already. The list holds the names of columns.",
            "ForeignKey in a model wants both in one; here they are apart.",
            lambda t: t.failed("NoReferencedTableError"),
            step="upgrade",
        ),
    ),
    task="tie rows to rows that are there",
    hints=(
        "Which rows would break the rule? Write the SELECT first, then make a DELETE of it.",
        "An application is an offender where its job_id is not among the ids of jobs.",
        "op.create_foreign_key takes the name, the table, the table that it refers to, and two lists of columns.",
    ),
    why="The rows first, then the rule, in one revision: where the second fails, the first is taken back.",
    passed="You can set a rule on rows that break it.",
)
FILLED = EXERCISE.filled
WRONG = edits(
    FILLED,
    rf"""
the rule before the rows  | {DELETE}\n    {CREATE}  | {CREATE}\n    {DELETE}  | rows that break the rule
the rule alone  | {DELETE}\n  |  | rows that break the rule
all applications go  | \sWHERE job_id NOT IN (SELECT id FROM jobs)  |  | After the upgrade, a row of applications is missing
those that are right go  | NOT IN  | IN  | rows that break the rule
by the ids that one saw  | WHERE job_id NOT IN (SELECT id FROM jobs)  | WHERE job_id > 2 OR email IS NULL  | a row of applications is missing: id 5
by the ids, and right here  | NOT IN (SELECT id FROM jobs)  | IN (7, 9)  | rows that break the rule
by a limit  | NOT IN (SELECT id FROM jobs)  | > 5  | rows that break the rule
applications by their own id  | WHERE job_id NOT IN  | WHERE id NOT IN  | rows that break the rule
table and column in one  | ["id"])  | ["jobs.id"])  | a column without its table
columns beside their tables  | "applications", "jobs", ["job_id"], ["id"]  | "applications", ["job_id"], "jobs", ["id"]  | the order of what is handed over
moved to another job  | DELETE FROM applications WHERE  | UPDATE applications SET job_id = 1 WHERE  | a row of applications is too many
the job is forgotten instead  | DELETE FROM applications WHERE  | UPDATE applications SET job_id = NULL WHERE  | NotNullViolation
a name that PostgreSQL makes up  | fk_applications_job_id_jobs  | applications_job_id_fkey  | Missing: the constraint fk_applications_job_id_jobs
tables swapped  | "applications", "jobs", ["job_id"], ["id"]  | "jobs", "applications", ["id"], ["job_id"]  | from the key to where it leads
columns swapped  | ["job_id"], ["id"]  | ["id"], ["job_id"]  | from the key to where it leads
columns without lists  | ["job_id"], ["id"]  | "job_id", "id"  | text in place of a list
NOT VALID  | ["job_id"], ["id"]  | ["job_id"], ["id"], postgresql_not_valid=True  | a rule for new rows alone
NOT VALID, and the rows stay  | {DELETE}\n  |  | ["job_id"], ["id"]  | ["job_id"], ["id"], postgresql_not_valid=True  | a rule for new rows alone
deletes with the job  | ["job_id"], ["id"]  | ["job_id"], ["id"], ondelete="CASCADE"  | ON DELETE CASCADE
no way back  | {DROP}  | pass  | a downgrade that does nothing
dropped without a name  | {DROP}  | op.drop_constraint(None, "applications", type_="foreignkey")  | a constraint without a name, dropped by name
dropped by another name  | {DROP}  | op.drop_constraint("applications_job_id_fkey", "applications")  | a guessed constraint name
dropped as a key of jobs  | {DROP}  | op.drop_constraint("fk_applications_job_id_jobs", "jobs")  | a guessed constraint name
the table goes on the way back  | {DROP}  | op.drop_table("applications")  | a downgrade that takes too much
the jobs that are missing are made up  | {DELETE}  | op.execute("INSERT INTO jobs (id, title, description, company_id) VALUES (7, 'Gone', 'Gone.', 1), (9, 'Gone', 'Gone.', 1)")  | rows that were there are not the same
= NULL  | job_id NOT IN (SELECT id FROM jobs)  | job_id = NULL  | rows that break the rule
a slip in SQL  | DELETE FROM  | DELETE  | SyntaxError
the model asked  | {DELETE}  | from jobboard.models import Job  | models imported into a migration
""",
)
RIGHT = edits(
    FILLED,
    rf"""
the convention's own  | "fk_applications_job_id_jobs", "applications", "jobs", [  | None, "applications", "jobs", [
op.f on both sides  | "fk_applications_job_id_jobs"  | op.f("fk_applications_job_id_jobs")
NOT EXISTS  | WHERE job_id NOT IN (SELECT id FROM jobs)  | AS a WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = a.job_id)
all in SQL  | {CREATE}  | op.execute("ALTER TABLE applications ADD CONSTRAINT fk_applications_job_id_jobs FOREIGN KEY (job_id) REFERENCES jobs")  | {DROP}  | op.execute("ALTER TABLE applications DROP CONSTRAINT fk_applications_job_id_jobs")
with its kind  | {DROP}  | op.drop_constraint("fk_applications_job_id_jobs", "applications", type_="foreignkey")
in two steps  | ["job_id"], ["id"])  | ["job_id"], ["id"], postgresql_not_valid=True)\n    op.execute("ALTER TABLE applications VALIDATE CONSTRAINT fk_applications_job_id_jobs")
tables of sa.table  | {DELETE}  | applications, jobs = sa.table("applications", sa.column("job_id")), sa.table("jobs", sa.column("id"))\n    op.execute(applications.delete().where(applications.c.job_id.not_in(sa.select(jobs.c.id))))
""",
)
