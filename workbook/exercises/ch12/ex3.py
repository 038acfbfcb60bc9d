"""12.3  A model without the column that will go."""

from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import Models

GONE = Mistake(
    "the column is gone from the table, too",
    "The class forgets it, and so does the metadata: alembic check sees a column that no model knows,"
    " and a draft would drop it today.",
    "The table keeps it until Monday.",
    lambda t: (
        t.up and "subscribers" in t.up.tables and "phone" not in t.up.tables["subscribers"].columns
    ),
)
PART = Mistake(
    "still mapped",
    "The class has the attribute, so each INSERT names the column, whatever a SELECT leaves out.",
    "It has to belong to the table alone.",
    lambda t: t.run.probe.get("the class has no attribute for phone") == "False",
)
PAIR = Mistake(
    "half of the pair",
    "Annotation and call say the same thing twice, and have to agree.",
    "Look at both sides of the equals sign.",
    lambda t: t.failed("ArgumentError", "Unmapped"),
    step="import",
)
EXCLUDED = Mistake(
    "an attribute that is left out of the mapping",
    "SQLAlchemy leaves it out and warns: it is not what exclude_properties is for, and will be an error.",
    "Since 2.1.5 there is a form for a column that the class does not have.",
    lambda t: "exclude_properties" in t.source and "__table__" not in t.source,
)
MORE = Mistake(
    "more than was asked",
    "The release that has to be deployed goes on showing the address.",
    "One column goes on Monday, and it is not this one.",
    lambda t: t.run.probe.get("the class has one for email") == "False",
)

CODE = """
from sqlalchemy import String
from sqlalchemy.orm import «Mapped, Unmapped, mapped_column, unmapped_column»

from jobboard.database import Base


class Subscriber(Base):
    __tablename__ = "subscribers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    phone: «Unmapped[str | None] = unmapped_column(String(30))»
"""
SHOWN = (
    CODE.replace("«", "")
    .replace("»", "")
    .replace("Unmapped, mapped_column, unmapped_column", "mapped_column")
    .replace("Unmapped", "Mapped")
    .replace("unmapped_column", "mapped_column")
)

EXERCISE = Models(
    file="leaving.py",
    code=CODE,
    shown=SHOWN,
    probes={
        "a SELECT does not name phone": (
            "'phone' not in str(__import__('sqlalchemy').select(Subscriber))"
        ),
        "the class has no attribute for phone": (
            "'phone' not in [each.name for each in Subscriber.__mapper__.columns]"
        ),
        "the class has one for email": "'email' in Subscriber.__mapper__.columns",
        "the table has phone": "'phone' in Subscriber.__table__.columns",
    },
    mistakes=(EXCLUDED, PAIR, GONE, PART, MORE),
    task="let a class forget a column that is still there",
    hints=(
        "Which line of this chapter's Job kept the column in the table and took it from the class?",
        "Two names change in the line of phone, and both have to be imported.",
    ),
    why="The column is in the table's metadata, so alembic check is content. The class does not have"
    " it, so no statement of the application names it.",
    passed="You can deploy a release that does not care whether a column is there.",
)

FILLED = EXERCISE.filled
LINE = "Unmapped[str | None] = unmapped_column(String(30))"
WRONG = [
    cells("as it was found", EXERCISE.cell, says="Not attempted yet"),
    *edits(
        FILLED,
        rf"""
the line goes  | \n    phone: {LINE}  |  | the column is gone from the table, too
a comment  | phone: {LINE}  | # phone: {LINE}  | the column is gone from the table, too
deferred  | phone: {LINE}  | phone: Mapped[str | None] = mapped_column(String(30), deferred=True)  | still mapped
another name for the attribute  | phone: {LINE}  | old: Mapped[str | None] = mapped_column("phone", String(30))  | still mapped
the annotation alone  | {LINE}  | Unmapped[str | None] = mapped_column(String(30))  | half of the pair
the call alone  | {LINE}  | Mapped[str | None] = unmapped_column(String(30))  | half of the pair
not imported  | import Mapped, Unmapped, mapped_column, unmapped_column  | import Mapped, mapped_column  | an import is missing
without a length  | String(30)  | String()  | Different: subscribers.phone
required  | {LINE}  | Unmapped[str] = unmapped_column(String(30))  | Mapped[str] means NOT NULL
another name  | phone:  | mobile:  | the column is gone from the table, too
excluded  | phone: {LINE}  | phone: Mapped[str | None] = mapped_column(String(30))\n    __mapper_args__ = {{"exclude_properties": ["phone"]}}  | an attribute that is left out of the mapping
the address, too  | email: Mapped[str] = mapped_column(String(254))  | email: Unmapped[str] = unmapped_column(String(254))  | more than was asked
without a type  | {LINE}  | Unmapped[str | None] = unmapped_column()  | subscribers.phone
without imports  | from sqlalchemy.orm import Mapped, Unmapped, mapped_column, unmapped_column\n  |  | an import is missing
""",
    ),
]
RIGHT = edits(
    FILLED,
    rf"""
without an annotation  | phone: {LINE}  | phone = unmapped_column(String(30))
nullable said  | unmapped_column(String(30))  | unmapped_column(String(30), nullable=True)
appended to the table  | \n    phone: {LINE}\n  | \n\n\nSubscriber.__table__.append_column(__import__("sqlalchemy").Column("phone", String(30)))\n
by its full name  | phone: {LINE}  | phone: Unmapped[str | None] = unmapped_column("phone", String(30))
""",
)
