"""7.5  Repair a migration that brings rows with ids of its own."""

from workbook.exercises import cells, edits
from workbook.exercises.kinds import Revision

CODE = """
def upgrade() -> None:
    table = op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )
    op.bulk_insert(table, [{"id": 1, "name": "Office"}, {"id": 2, "name": "Workshop"}])
    op.execute("SELECT setval(pg_get_serial_sequence('categories', 'id'), 2)")


def downgrade() -> None:
    op.drop_table("categories")
"""
SETVAL = "op.execute(\"SELECT setval(pg_get_serial_sequence('categories', 'id'), 2)\")"

EXERCISE = Revision(
    file="categories.py",
    exact=True,
    code=CODE,
    shown=CODE.replace(f"    {SETVAL}\n", ""),
    # whatever id it got: that it got one is the point
    then="INSERT INTO categories (name) VALUES ('Garden');"
    " UPDATE categories SET id = 3 WHERE name = 'Garden'",
    task="bring rows in whose ids the application will not meet again",
    hints=(
        "The ids came from the migration, so the sequence was never asked. At which number does it"
        " stand?",
        "Either the sequence is told, or it is asked in the first place: does anything here need these"
        " very ids?",
        "op.execute takes the SELECT with setval and pg_get_serial_sequence that stands above.",
    ),
    why="setval tells the sequence the last id that is taken; the application's next row gets the one"
    " after it.",
    passed="Rows that you bring along do not stand in the way of those that come.",
)

WRONG = [
    cells(
        "nothing but the cell",
        EXERCISE.header + "\n" + (EXERCISE.shown or ""),
        says="Not attempted yet",
    ),
    *edits(
        EXERCISE.filled,
        rf"""
the first of the two  | 'id'), 2)  | 'id'), 1)  | ids that the sequence does not know
not called yet  | 'id'), 2)  | 'id'), 2, false)  | ids that the sequence does not know
another table's sequence  | 'categories', 'id'  | 'jobs', 'id'  | ids that the sequence does not know
a column that does not count  | 'categories', 'id'  | 'categories', 'name'  | ids that the sequence does not know
a guessed name  | pg_get_serial_sequence('categories', 'id')  | 'categories_seq'  | relation "categories_seq" does not exist
only read  | setval(pg_get_serial_sequence('categories', 'id'), 2)  | last_value FROM categories_id_seq  | ids that the sequence does not know
a row less  | , {{"id": 2, "name": "Workshop"}}]  | ]  | a row of categories is missing
other ids  | "id": 1,  | "id": 11,  | "id": 2,  | "id": 12,  | categories
the table as text  | op.bulk_insert(table,  | op.bulk_insert("categories",  | a table is an object here
a trigger's way out  | {SETVAL}  | op.execute("ALTER TABLE categories ALTER id DROP DEFAULT")  | categories.id
ids without a rule  | , primary_key=True  | , autoincrement=True  | no primary key
the rows go, the table stays  | op.drop_table("categories")  | op.execute("DELETE FROM categories")  | a downgrade that does nothing
nothing on the way back  | op.drop_table("categories")  | pass  | a downgrade that does nothing
a commit  | {SETVAL}  | {SETVAL}\n    op.get_bind().commit()  | a migration that commits
""",
    ),
]
RIGHT = edits(
    EXERCISE.filled,
    rf"""
by max  | SELECT setval(pg_get_serial_sequence('categories', 'id'), 2)  | SELECT setval(pg_get_serial_sequence('categories', 'id'), max(id)) FROM categories
without ids  | "id": 1,  |  | "id": 2,  |  | \n    {SETVAL}  |
by name  | pg_get_serial_sequence('categories', 'id')  | 'categories_id_seq'
far ahead  | 'id'), 2)  | 'id'), 1000)
RESTART  | SELECT setval(pg_get_serial_sequence('categories', 'id'), 2)  | ALTER SEQUENCE categories_id_seq RESTART WITH 3
asked twice  | {SETVAL}  | op.execute("SELECT nextval('categories_id_seq') FROM categories")
before the rows  | \n    {SETVAL}  |  | \s   op.bulk  | \s   {SETVAL}\n    op.bulk
""",
)
