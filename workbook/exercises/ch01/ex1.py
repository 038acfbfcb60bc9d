"""1.1  Write a model with a foreign key."""

from workbook.exercises import Answer, cells, edits
from workbook.exercises.kinds import Models

EXERCISE = Models(
    file="application.py",
    code="""
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from jobboard.database import Base


class Application(Base):
    __tablename__ = "applications"

    id: Mapped[int] = mapped_column(primary_key=True)
    applicant: Mapped[«str»]
    note: Mapped[«str | None»]
    job_id: Mapped[int] = mapped_column(«ForeignKey("jobs.id")»)
""",
    task="write a model with a foreign key",
    hints=(
        "Three gaps, three questions: must there be an applicant? must there be a note? which"
        " row does an application belong to?",
        "A value that may be missing is annotated str | None.",
        'The last gap takes ForeignKey("table.column"), as company_id does for companies.',
    ),
    why="Mapped[str] is NOT NULL, Mapped[str | None] may be NULL, and the foreign key names the"
    " table jobs, not the class Job.",
    passed="You can write a model whose columns say what may be missing and what it refers to.",
)

WRONG = [
    *edits(
        EXERCISE.filled,
        r"""
every value is required  | str | None  | str  | Mapped[str] means NOT NULL
every value may be missing  | Mapped[str]  | Mapped[str | None]  | None in the annotation means that it may be missing
the key names the class  | jobs.id  | Job.id  | a foreign key names a table
the key names a table that is not there  | jobs.id  | job.id  | a foreign key names a table
the key names a column that is not there  | jobs.id  | jobs.job_id  | a foreign key names a column that is there
the key names no column  | jobs.id  | jobs  | a foreign key names table and column
table and column apart  | "jobs.id"  | "jobs", "id"  | ForeignKey takes one text
the key names a table of elsewhere  | Mapped[str]  | Mapped[str] = mapped_column(ForeignKey("users.id"))  | a foreign key names a table
or in place of a bar  | str | None  | str or None  | `or` picks, a bar joins
SQL's NULL  | str | None  | str | NULL  | NULL is SQL's word
the key may be NULL  | "jobs.id")  | "jobs.id"), nullable=True  | nullable= outweighs the annotation
a comma at the end  | "jobs.id"))  | "jobs.id")),  | a comma too many
the key as a list  | job_id: Mapped[int]  | job_id: Mapped[list[int]]  | an annotation of another type
the key with a slash  | jobs.id  | jobs/id  | a foreign key names table and column
square brackets  | ForeignKey("jobs.id")  | ForeignKey["jobs.id"]  | square brackets in place of round ones
None outside of Mapped  | Mapped[str | None]  | Mapped[str] | None  | an annotation without Mapped
a default in Python  | note: Mapped[str | None]  | note: Mapped[str] = mapped_column(default="")  | Mapped[str] means NOT NULL
the key as text  | job_id: Mapped[int]  | job_id: Mapped[str]  | an annotation of another type
a key that may occur once  | "jobs.id")  | "jobs.id"), unique=True  | Extra: the constraint UNIQUE (job_id) on applications.
the key refers to another table  | jobs.id  | companies.id  | Missing: the constraint FOREIGN KEY (job_id) REFERENCES jobs(id)
no foreign key  | ForeignKey("jobs.id")  |  | an id is not a rule
an annotation as in plain Python  | Mapped[str]  | str  | id: Mapped[int] = mapped_column(p  | id: int = mapped_column(p  | an annotation without Mapped
a plain annotation without a column  | Mapped[str]  | str  | an annotation without Mapped
an SQL type in Mapped  | Mapped[str]  | Mapped[varchar]  | Mapped takes a Python type
SQLAlchemy's type in Mapped  | import ForeignKey  | import ForeignKey, String  | Mapped[str]  | Mapped[String]  | Mapped takes a Python type
the import is lost  | from sqlalchemy import ForeignKey\n  |  | an import is missing
Optional without its import  | str | None  | Optional[str]  | an import is missing
no quotes  | "jobs.id"  | jobs.id  | a name without quotes
ForeignKey outside of mapped_column  | mapped_column(ForeignKey("jobs.id"))  | ForeignKey("jobs.id")  | a ForeignKey without its column
mapped_column forgotten  | mapped_column(ForeignKey("jobs.id"))  | "jobs.id"  | Missing: the column applications.job_id
a table of another name  | "applications"  | "application"  | Missing: the table applications.
a base class of its own  | from jobboard.database import Base\n  | from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n  | a table that belongs to nobody
not a model at all  | Application(Base)  | Application  | a table that belongs to nobody
no primary key  | primary_key=True  |  | a model without a primary key
half a relationship to Job  | mapped_column\n  | mapped_column, relationship\n  | "jobs.id"))  | "jobs.id"))\n    job: Mapped["Job"] = relationship(back_populates="applications")  | half a relationship
a column too many  | str | None]  | str | None]\n    email: Mapped[str]  | Extra: the column applications.email
a forgotten bracket  | "jobs.id"))  | "jobs.id")  | Line 14 of the cell: job_id
a forgotten colon  | (Base):  | (Base)  | Line 8 of the cell: class Application(Base)
a line that is not indented  | \s   note  | note  | Python cannot read it: unexpected indent
leaves Python  | class Appl  | exit()\n\n\nclass Appl  | it ends Python itself
leaves Python at once  | class Appl  | import os\n\nos._exit(0)\n\n\nclass Appl  | it ends Python itself
one gap left  | str | None  | ____  | Not attempted yet
""",
    ),
    cells("an empty file", "%%writefile practice/application.py\n", says="Not attempted yet"),
    Answer("comments only", "Not attempted yet", code="# later\n"),
]

RIGHT = edits(
    EXERCISE.filled,
    r'''
Optional  | from sqlalchemy import  | from typing import Optional\n\nfrom sqlalchemy import  | str | None  | Optional[str]
None first, annotations quoted  | Mapped[str | None]  | Mapped["None | str"]
the classic style  | import ForeignKey  | import Column, ForeignKey, Integer, String  | id: Mapped[int] = mapped_column(primary  | id = Column(Integer, primary  | applicant: Mapped[str]  | applicant = Column(String, nullable=False)  | note: Mapped[str | None]  | note = Column(String)  | job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))  | job_id = Column(Integer, ForeignKey("jobs.id"), nullable=False)
types and nullable spelt out  | import ForeignKey  | import ForeignKey, String  | applicant: Mapped[str]  | applicant: Mapped[str] = mapped_column(String(), nullable=False)  | Mapped[str | None]  | Mapped[str] = mapped_column(nullable=True)
the constraint apart, with a name  | import ForeignKey  | import ForeignKeyConstraint  | ForeignKey("jobs.id")  |  | "applications"\n  | "applications"\n    __table_args__ = (ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job"),)\n
the column object, another order, a docstring  | import Base  | import Base\nfrom jobboard.models import Job  | "jobs.id"  | Job.id  | \s   note: Mapped[str | None]\n  |  | __tablename__  | """Somebody wants a job."""\n\n    note: Mapped[str | None]\n    __tablename__
annotated types and a relationship  | from sqlalchemy import  | from typing import Annotated\n\nfrom sqlalchemy import  | mapped_column\n  | mapped_column, relationship\n  | class Appl  | key = Annotated[int, mapped_column(primary_key=True)]\n\n\nclass Appl  | id: Mapped[int] = mapped_column(primary_key=True)\n  | id: Mapped[key]\n  | "jobs.id"))  | "jobs.id"))\n    job: Mapped["Job"] = relationship()
annotations that are not evaluated  | from sqlalchemy import  | from __future__ import annotations\n\nfrom sqlalchemy import
an identity  | import ForeignKey  | import ForeignKey, Identity  | (primary_key=True)  | (Identity(), primary_key=True)
Text, and a length  | import ForeignKey  | import ForeignKey, String, Text  | applicant: Mapped[str]  | applicant: Mapped[str] = mapped_column(String(100))  | Mapped[str | None]  | Mapped[str | None] = mapped_column(Text)
prints something  | class Appl  | print("Hello")\n\n\nclass Appl
''',
)
