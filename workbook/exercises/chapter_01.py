"""Exercises of chapter 1: models."""

from workbook.exercises.kinds import bare, choose, judge_trial, model, order, run_trial
from workbook.exercises.mistakes_in_models import MODEL

APPLICATION = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.database import Base


class Application(Base):
    __tablename__ = "applications"

    id: Mapped[int] = mapped_column(primary_key=True)
    applicant: Mapped[str]
    note: Mapped[str | None]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
"""

COURSES = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobboard.database import Base


class Course(Base):
    __tablename__ = "courses"

    id: Mapped[int] = mapped_column(primary_key=True)
    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")


class Lesson(Base):
    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    course: Mapped["Course"] = relationship(back_populates="lessons")
"""

BROKEN = "\n".join(line for line in COURSES.splitlines() if not line.startswith("    course"))

LINES = {
    "a": "    name: Mapped[str]",
    "b": '    __tablename__ = "skills"',
    "c": "    id: Mapped[int] = mapped_column(primary_key=True)",
    "d": "class Skill(Base):",
    "e": "from jobboard.database import Base",
    "f": "from sqlalchemy.orm import Mapped, mapped_column",
}


def skill(lines: list[str]) -> list[str]:
    """What is wrong with the model that these lines make, in this order."""
    right = "\n".join(LINES[each] for each in "efdbca")
    trial = run_trial("model", "\n".join(lines), right)
    outcome = judge_trial(trial, MODEL, down=False)
    return [] if outcome.kind == "done" else [*outcome.lines]


def skill_mistake(letters: list[str]) -> tuple[str, str] | None:
    """The well-known ways to get the order of a class wrong."""
    place = letters.index
    if place("d") < max(place("e"), place("f")):
        return (
            "a name is used before it is imported",
            "Python reads from the top: what a line uses has to stand above it.",
        )
    if place("d") > min(place("a"), place("b"), place("c")):
        return (
            "the indented lines belong to the class",
            "An indented line is part of the block that begins above it, and here that is the class.",
        )
    return None


EXERCISES = [
    model(
        "1.1",
        file="application.py",
        reference=APPLICATION,
        task="write a model with a foreign key",
        hints=(
            "Three gaps, three questions: must there be an applicant? must there be a note? which"
            " row does an application belong to?",
            "A value that may be missing is annotated str | None.",
            'The last gap takes ForeignKey("table.column"), as company_id does for companies.',
        ),
        solution="%%writefile practice/application.py" + APPLICATION,
        why="Mapped[str] is NOT NULL, Mapped[str | None] may be NULL, and the foreign key names the"
        " table jobs, not the class Job.",
        passed="You can write a model whose columns say what may be missing and what it refers to.",
    ),
    model(
        "1.2",
        file="courses.py",
        reference=COURSES,
        probes={
            "a lesson that is put into a course's lessons knows its course": "(lambda lesson:"
            " (lambda course: lesson.course is course)(Course(lessons=[lesson])))(Lesson())",
            "a lesson that is given a course is among the course's lessons": "(lambda course:"
            " (lambda lesson: lesson in course.lessons)(Lesson(course=course)))(Course())",
        },
        attempted=lambda source: bare(source) != bare(BROKEN),
        task="repair a relationship from both sides",
        hints=(
            "Run the broken classes in your head: which name does Course give to the other side, and"
            " is there such a name?",
            "A relationship needs a foreign key column to look through.",
            "Lesson lacks two lines: course_id, with a ForeignKey, and course, a relationship.",
        ),
        solution="%%writefile practice/courses.py" + COURSES,
        why="A relationship is a view of a foreign key, so the key comes first; back_populates on both"
        " sides keeps the two views the same.",
        passed="You can tie two models together and see when half of the tie is missing.",
    ),
    order(
        "1.3",
        LINES,
        skill,
        skill_mistake,
        task="put the lines of a model in order",
        hints=(
            "The imports come first, the class next, its indented lines last.",
            "Among the imports, and among the columns, the order is yours to choose.",
        ),
        solution='check("1.3", "e f d b c a")',
        why="Python reads from the top; between the two imports, and between the lines inside the"
        " class, the order does not matter.",
        passed="You know what a model is made of.",
    ),
    choose(
        "1.4",
        right="c",
        wrong={
            "a": (
                "create_all never compares",
                "It asks one question only: is there a table of that name? If so, it goes on to the"
                " next table, whatever its columns are.",
            ),
            "b": (
                "the data are not the reason",
                "The table was empty in this chapter too, and still nothing changed. create_all does not"
                " look at rows, nor at columns.",
            ),
            "d": (
                "there is nothing to commit",
                "create_all commits what it does. It has done nothing here that could be committed.",
            ),
        },
        task="say why create_all changed nothing",
        hints=(
            "What would create_all have to know in order to add a column?",
            "It checks for the names of tables and for nothing else.",
        ),
        solution='check("1.4", "c")',
        why="create_all makes what is missing, table by table. How an existing table gets from its old"
        " shape to a new one is what a migration says.",
        passed="You can say what create_all is for, and where migrations begin.",
    ),
]
