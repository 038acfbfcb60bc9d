"""Answers to the exercises of chapter 1: models."""

from answers import Answer

IMPORTS = """%%writefile practice/application.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.database import Base


"""
APPLICATION = (
    IMPORTS
    + """class Application(Base):
    __tablename__ = "applications"

    id: Mapped[int] = mapped_column(primary_key=True)
    applicant: Mapped[str]
    note: Mapped[str | None]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
"""
)
COURSES = """%%writefile practice/courses.py
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
KEY = '    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))\n'
COURSE = '    course: Mapped["Course"] = relationship(back_populates="lessons")\n'


def edited(text: str, *changes: tuple[str, str]) -> str:
    """A text with parts replaced; each has to be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def application(name: str, *changes: tuple[str, str], says: str = "") -> Answer:
    """The right answer to 1.1 with parts replaced."""
    return Answer("1.1", name, (edited(APPLICATION, *changes),), says=says)


def courses(name: str, *changes: tuple[str, str], says: str = "") -> Answer:
    """The right answer to 1.2 with parts replaced."""
    return Answer("1.2", name, (edited(COURSES, *changes),), says=says)


FK = 'mapped_column(ForeignKey("jobs.id"))'
NOTE = "note: Mapped[str | None]"
ID = "id: Mapped[int] = mapped_column(primary_key=True)"

WRONG = [
    application(
        "every value is required", (NOTE, "note: Mapped[str]"), says="Mapped[str] means NOT NULL"
    ),
    application(
        "every value may be missing",
        ("applicant: Mapped[str]", "applicant: Mapped[str | None]"),
        says="None in the annotation means that it may be missing",
    ),
    application(
        "the key names the class", ("jobs.id", "Job.id"), says="a foreign key names a table"
    ),
    application(
        "the key names a table that is not there",
        ("jobs.id", "job.id"),
        says="a foreign key names a table",
    ),
    application(
        "the key names a column that is not there",
        ("jobs.id", "jobs.job_id"),
        says="a foreign key names a table",
    ),
    application("the key names no column", ("jobs.id", "jobs"), says="a foreign key names a table"),
    application(
        "the key refers to another table",
        ("jobs.id", "companies.id"),
        says="Missing: the constraint FOREIGN KEY (job_id) REFERENCES jobs(id)",
    ),
    application("no foreign key", (FK, "mapped_column()"), says="an id is not a rule"),
    application(
        "an annotation as in plain Python",
        ("applicant: Mapped[str]", "applicant: str"),
        ("id: Mapped[int] = mapped_column(p", "id: int = mapped_column(p"),
        says="an annotation without Mapped",
    ),
    application(
        "a plain annotation without a column",
        ("applicant: Mapped[str]", "applicant: str"),
        says="an annotation without Mapped",
    ),
    application(
        "an SQL type in Mapped",
        ("Mapped[str]", "Mapped[varchar]"),
        says="Mapped takes a Python type",
    ),
    application(
        "SQLAlchemy's type in Mapped",
        ("import ForeignKey", "import ForeignKey, String"),
        ("Mapped[str]", "Mapped[String]"),
        says="Mapped takes a Python type",
    ),
    application(
        "the import is lost",
        ("from sqlalchemy import ForeignKey\n", ""),
        says="an import is missing",
    ),
    application(
        "Optional without its import", ("str | None", "Optional[str]"), says="an import is missing"
    ),
    application("no quotes", ('"jobs.id"', "jobs.id"), says="a name without quotes"),
    application(
        "ForeignKey outside of mapped_column",
        (FK, 'ForeignKey("jobs.id")'),
        says="a ForeignKey without its column",
    ),
    application(
        "mapped_column forgotten", (FK, '"jobs.id"'), says="Missing: the column applications.job_id"
    ),
    application(
        "a table of another name",
        ('"applications"', '"application"'),
        says="Missing: the table applications.",
    ),
    application(
        "a base class of its own",
        (
            "from jobboard.database import Base\n",
            "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n",
        ),
        says="a table that belongs to nobody",
    ),
    application(
        "not a model at all",
        ("Application(Base)", "Application"),
        says="a table that belongs to nobody",
    ),
    application(
        "no primary key",
        ("mapped_column(primary_key=True)", "mapped_column()"),
        says="a model without a primary key",
    ),
    application(
        "an identity",
        ("import ForeignKey", "import ForeignKey, Identity"),
        ("mapped_column(primary_key=True)", "mapped_column(Identity(), primary_key=True)"),
        says="another way to count",
    ),
    application(
        "half a relationship to Job",
        ("import Mapped, mapped_column", "import Mapped, mapped_column, relationship"),
        (FK, FK + '\n    job: Mapped["Job"] = relationship(back_populates="applications")'),
        says="half a relationship",
    ),
    application(
        "a column too many",
        (NOTE, NOTE + "\n    email: Mapped[str]"),
        says="Extra: the column applications.email",
    ),
    application("a forgotten bracket", (FK, FK[:-1]), says="Python cannot read it: line"),
    application(
        "a forgotten colon",
        ("(Base):", "(Base)"),
        says="Python cannot read it: line 7: expected ':'",
    ),
    application(
        "a line that is not indented",
        ("    " + NOTE, NOTE),
        says="Python cannot read it: line 13: unexpected indent",
    ),
    application(
        "leaves Python", ("class Appl", "exit()\n\n\nclass Appl"), says="it ends Python itself"
    ),
    application(
        "leaves Python at once",
        ("class Appl", "import os\n\nos._exit(0)\n\n\nclass Appl"),
        says="it ends Python itself",
    ),
    Answer(
        "1.1",
        "one gap left",
        (APPLICATION.replace("str | None", "____"),),
        says="Not attempted yet",
    ),
    Answer(
        "1.1", "an empty file", ("%%writefile practice/application.py\n",), says="Not attempted yet"
    ),
    Answer(
        "1.1",
        "comments only",
        ("%%writefile practice/application.py\n# later\n",),
        says="Not attempted yet",
    ),
    courses("the foreign key alone", (COURSE, ""), says="half a relationship"),
    courses("the relationship alone", (KEY, ""), says="a relationship without a foreign key"),
    courses(
        "the key names the class", ("courses.id", "Course.id"), says="a foreign key names a table"
    ),
    courses(
        "the key names a table that is not there",
        ("courses.id", "course.id"),
        says="a foreign key names a table",
    ),
    courses(
        "two relationships that are not linked",
        ('back_populates="course"', ""),
        ('back_populates="lessons"', ""),
        says="two relationships that do not know each other",
    ),
    courses(
        "linked on one side",
        ('back_populates="course"', ""),
        says="two relationships that do not know each other",
    ),
    courses(
        "linked on the other side",
        ('back_populates="lessons"', ""),
        says="two relationships that do not know each other",
    ),
    courses(
        "back_populates names the class",
        ('back_populates="lessons"', 'back_populates="Course"'),
        says="half a relationship",
    ),
    courses(
        "back_populates names the table",
        ('back_populates="course"', 'back_populates="courses"'),
        says="half a relationship",
    ),
    courses(
        "may belong to no course",
        (KEY, KEY.replace("[int]", "[int | None]")),
        says="None in the annotation means that it may be missing",
    ),
    courses(
        "a list on no side", ('Mapped[list["Lesson"]]', 'Mapped["Lesson"]'), says="one or many"
    ),
    courses(
        "the lessons are gone",
        ('    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")\n', ""),
        says="half a relationship",
    ),
    courses(
        "no relationship is left",
        ('    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")\n', ""),
        (COURSE, ""),
        says="a side of the relationship is missing",
    ),
    courses(
        "backref beside back_populates",
        ('back_populates="lessons"', 'backref="lessons"'),
        says="Error creating backref 'lessons'",
    ),
    courses(
        "the key is on the wrong side",
        (KEY, ""),
        (
            "    lessons:",
            KEY.replace("course_id", "lesson_id").replace("courses", "lessons") + "    lessons:",
        ),
        says="one or many",
    ),
    courses(
        "the comment is gone and nothing else", (KEY, ""), (COURSE, ""), says="Not attempted yet"
    ),
    courses(
        "relationship with a column",
        ('relationship(back_populates="lessons")', 'relationship("courses.id")'),
        says="Connecting the models stops with AttributeError",
    ),
    courses(
        "import lost",
        ("import Mapped, mapped_column, relationship", "import Mapped, mapped_column"),
        says="an import is missing",
    ),
    courses(
        "ForeignKey outside of mapped_column",
        ('mapped_column(ForeignKey("courses.id"))', 'ForeignKey("courses.id")'),
        says="a ForeignKey without its column",
    ),
    Answer(
        "1.3",
        "the class comes first",
        given="d b c a e f",
        says="a name is used before it is imported",
    ),
    Answer(
        "1.3",
        "one import below the class",
        given="e d f b c a",
        says="a name is used before it is imported",
    ),
    Answer(
        "1.3",
        "an indented line above the class",
        given="e f c d b a",
        says="the indented lines belong to the class",
    ),
    Answer(
        "1.3",
        "a letter forgotten",
        given="e f d b c",
        says="Use each of the letters a b c d e f once",
    ),
    Answer(
        "1.3",
        "a letter twice",
        given="e f d b c a a",
        says="Use each of the letters a b c d e f once",
    ),
    Answer("1.3", "numbers", given="1 2 3 4 5 6", says="Use each of the letters a b c d e f once"),
    Answer("1.4", "a", given="a", says="create_all never compares"),
    Answer("1.4", "b", given="b", says="the data are not the reason"),
    Answer("1.4", "d", given="d", says="there is nothing to commit"),
    Answer("1.4", "a word", given="names", says="Answer with one of the letters a, b, c, d"),
]

RIGHT = [
    application(
        "Optional",
        ("from sqlalchemy import", "from typing import Optional\n\nfrom sqlalchemy import"),
        ("str | None", "Optional[str]"),
    ),
    application("None first, annotations quoted", ("Mapped[str | None]", 'Mapped["None | str"]')),
    application(
        "the classic style",
        (
            "from sqlalchemy import ForeignKey",
            "from sqlalchemy import Column, ForeignKey, Integer, String",
        ),
        (ID, "id = Column(Integer, primary_key=True)"),
        ("applicant: Mapped[str]", "applicant = Column(String, nullable=False)"),
        (NOTE, "note = Column(String)"),
        (
            "job_id: Mapped[int] = " + FK,
            'job_id = Column(Integer, ForeignKey("jobs.id"), nullable=False)',
        ),
    ),
    application(
        "types and nullable spelt out",
        ("import ForeignKey", "import ForeignKey, String"),
        (
            "applicant: Mapped[str]",
            "applicant: Mapped[str] = mapped_column(String(), nullable=False)",
        ),
        (NOTE, "note: Mapped[str] = mapped_column(nullable=True)"),
    ),
    application(
        "the constraint apart, with a name",
        ("import ForeignKey", "import ForeignKeyConstraint"),
        (FK, "mapped_column()"),
        (
            '"applications"\n',
            '"applications"\n    __table_args__ = (ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job"),)\n',
        ),
    ),
    application(
        "the column object, another order, a docstring",
        ("import Base", "import Base\nfrom jobboard.models import Job"),
        ('"jobs.id"', "Job.id"),
        (f"    {NOTE}\n", ""),
        ("    __tablename__", f'    """Somebody wants a job."""\n\n    {NOTE}\n    __tablename__'),
    ),
    application(
        "annotated types and a relationship",
        ("from sqlalchemy import", "from typing import Annotated\n\nfrom sqlalchemy import"),
        ("import Mapped, mapped_column", "import Mapped, mapped_column, relationship"),
        ("class Appl", "key = Annotated[int, mapped_column(primary_key=True)]\n\n\nclass Appl"),
        (ID, "id: Mapped[key]"),
        (FK, FK + '\n    job: Mapped["Job"] = relationship()'),
    ),
    application(
        "annotations that are not evaluated",
        ("application.py\n", "application.py\nfrom __future__ import annotations\n\n"),
    ),
    application("prints something", ("class Appl", 'print("Hello")\n\n\nclass Appl')),
    courses(
        "a comment stays",
        ("courses.py\n", "courses.py\n# Ask somebody: why does Course() raise an error?\n"),
    ),
    courses("names without quotes, where they are known", ('Mapped["Course"]', "Mapped[Course]")),
    courses(
        "List, as before Python 3.9",
        ("from sqlalchemy import", "from typing import List\n\nfrom sqlalchemy import"),
        ("list[", "List["),
    ),
    courses(
        "annotations that are not evaluated",
        ("courses.py\n", "courses.py\nfrom __future__ import annotations\n\n"),
        ('list["Lesson"]', "list[Lesson]"),
        ('"Course"', "Course"),
    ),
    courses(
        "a backref instead",
        ('    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")\n', ""),
        ('back_populates="lessons"', 'backref="lessons"'),
    ),
    courses(
        "more columns in the relationship",
        (
            'relationship(back_populates="lessons")',
            'relationship(back_populates="lessons", foreign_keys=[course_id], lazy="joined")',
        ),
    ),
    courses("the other class first", (KEY + COURSE, KEY + COURSE + "\n\n# that is all\n")),
    Answer("1.3", "another order of the columns", given="f e d a b c"),
    Answer("1.3", "as a list, in capitals", given=["E", "F", "D", "C", "A", "B"]),
    Answer("1.3", "with commas", given=" e, f, d, b, a, c. "),
    Answer("1.4", "a capital in brackets", given=" (C) "),
]
