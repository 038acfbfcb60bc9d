"""8.3  A foreign key on rows that break it."""

from workbook.contents import MAPPED, Start
from workbook.exercises import edits
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
DELETE = 'op.execute("DELETE FROM applications WHERE job_id NOT IN (SELECT id FROM jobs)")'
CREATE = 'op.create_foreign_key("fk_applications_job_id_jobs", "applications", "jobs", ["job_id"], ["id"])'
DROP = 'op.drop_constraint("fk_applications_job_id_jobs", "applications")'

EXERCISE = Revision(
    file="tie.py",
    start=Start("applications without a key", (*MAPPED, "named"), RULES, RULES, ROWS),
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
