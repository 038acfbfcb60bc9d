"""1.2  Repair a relationship from both sides."""

from workbook.exercises import edits
from workbook.exercises.kinds import Models

BROKEN = """# Ask somebody: why does Course() raise an error?
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
"""
REPAIR = """    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    course: Mapped["Course"] = relationship(back_populates="lessons")
"""

EXERCISE = Models(
    file="courses.py",
    code=BROKEN.partition("\n")[2] + REPAIR,
    shown=BROKEN,
    probes={
        "a lesson that is put into a course's lessons knows its course": "(lambda lesson:"
        " (lambda course: lesson.course is course)(Course(lessons=[lesson])))(Lesson())",
        "a lesson that is given a course is among the course's lessons": "(lambda course:"
        " (lambda lesson: lesson in course.lessons)(Lesson(course=course)))(Course())",
    },
    task="repair a relationship from both sides",
    hints=(
        "Run the broken classes in your head: which name does Course give to the other side, and"
        " is there such a name?",
        "A relationship needs a foreign key column to look through.",
        "Lesson lacks two lines: course_id, with a ForeignKey, and course, a relationship.",
    ),
    why="A relationship is a view of a foreign key, so the key comes first; back_populates on both"
    " sides keeps the two views the same.",
    passed="You can tie two models together and see when half of the tie is missing.",
)

WRONG = edits(
    EXERCISE.filled,
    r"""
the foreign key alone  | \n    course: Mapped["Course"] = relationship(back_populates="lessons")  |  | half a relationship
the relationship alone  | \n    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))  |  | a relationship without a foreign key
the key names the class  | courses.id  | Course.id  | a foreign key names a table
the key names a table that is not there  | courses.id  | course.id  | a foreign key names a table
two relationships that are not linked  | back_populates="course"  |  | back_populates="lessons"  |  | two relationships that do not know each other
linked on one side  | back_populates="course"  |  | two relationships that do not know each other
linked on the other side  | back_populates="lessons"  |  | two relationships that do not know each other
back_populates names the class  | back_populates="lessons"  | back_populates="Course"  | half a relationship
back_populates names the table  | back_populates="course"  | back_populates="courses"  | half a relationship
may belong to no course  | course_id: Mapped[int]  | course_id: Mapped[int | None]  | None in the annotation means that it may be missing
a list on no side  | list["Lesson"]  | "Lesson"  | one or many
the lessons are gone  | \n    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")  |  | half a relationship
no relationship is left  | \n    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")  |  | \n    course: Mapped["Course"] = relationship(back_populates="lessons")  |  | a side of the relationship is missing
backref beside back_populates  | back_populates="lessons"  | backref="lessons"  | Error creating backref 'lessons'
the key is on the wrong side  | \n    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))  |  | lessons: Mapped  | lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id"))\n    lessons: Mapped  | the key is on the wrong side
the key stands in the parent  | \n    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))  |  | lessons: Mapped  | course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))\n    lessons: Mapped  | the key is on the wrong side
the key as an object  | course_id: Mapped[int]  | course_id: Mapped["Course"]  | an annotation of another type
a key without its table  | courses.id  | id  | a foreign key names table and column
back_populates names itself  | back_populates="lessons"  | back_populates="course"  | half a relationship
the key as text  | course_id: Mapped[int]  | course_id: Mapped[str]  | an annotation of another type
a list on both sides  | Mapped["Course"]  | Mapped[list["Course"]]  | one or many
a relationship inside of a column  | relationship(back_populates="lessons")  | mapped_column(relationship(back_populates="lessons"))  | a relationship is not a column
two columns for one key  | = relationship(back_populates="lessons")  | = mapped_column(ForeignKey("courses.id"))  | two keys between the same tables
the wrong class  | Mapped["Course"]  | Mapped["Lesson"]  | a relationship leads to a class
a class with a typo  | Mapped["Course"]  | Mapped["Cours"]  | a relationship leads to a class
a comma after the relationship  | back_populates="lessons")  | back_populates="lessons"),  | a comma too many
a comma after the key  | "courses.id"))  | "courses.id")),  | a comma too many
the comment is gone and nothing else  | \n    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))  |  | \n    course: Mapped["Course"] = relationship(back_populates="lessons")  |  | Not attempted yet
relationship with a column  | back_populates="lessons"  | "courses.id"  | Connecting the models stops with AttributeError
import lost  | , relationship\n  | \n  | an import is missing
ForeignKey outside of mapped_column  | mapped_column(ForeignKey("courses.id"))  | ForeignKey("courses.id")  | a ForeignKey without its column
""",
)

RIGHT = edits(
    EXERCISE.filled,
    r"""
a comment stays  | from sqlalchemy import  | # Ask somebody: why does Course() raise an error?\nfrom sqlalchemy import
names without quotes, where they are known  | "Course"  | Course
List, as before Python 3.9  | from sqlalchemy import  | from typing import List\n\nfrom sqlalchemy import  | list[  | List[
annotations that are not evaluated  | from sqlalchemy import  | from __future__ import annotations\n\nfrom sqlalchemy import  | "Lesson"  | Lesson  | "Course"  | Course
a backref instead  | \n    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")  |  | back_populates  | backref
more columns in the relationship  | back_populates="lessons"  | back_populates="lessons", foreign_keys=[course_id], lazy="joined"
a comment at the end  | back_populates="lessons")  | back_populates="lessons")\n\n\n# that is all
""",
)
