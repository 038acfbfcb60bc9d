"""Words of other databases and drivers: SQLite, MySQL, asyncpg. The lessons are about PostgreSQL."""

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry

ENTRIES = (
    Entry(
        id="X01",
        mistake=Mistake(
            "a row that breaks a foreign key of SQLite's",
            "A row names one that is not there, or one was deleted that others name; SQLite says neither"
            " which nor where. Batch mode drops and makes the table again, which counts as well.",
            "PRAGMA foreign_key_check lists the rows. In a migration with batch mode: PRAGMA"
            " foreign_keys=OFF around it.",
        ),
        lines=("(sqlite3.IntegrityError) FOREIGN KEY constraint failed",),
        also=("FOREIGN KEY constraint failed",),
        prevent="Parents first, in data as in tables.",
        chapter=8,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="X02",
        mistake=Mistake(
            "a file that SQLite cannot open",
            "The path in the address leads to no file that can be opened or made. Most often the folder is"
            " not there or belongs to somebody else, or a relative path is counted from another folder.",
            "sqlite:/// and an absolute path (four slashes in all on Linux and macOS); make the folder.",
        ),
        lines=("(sqlite3.OperationalError) unable to open database file",),
        prevent="An absolute path, made from __file__.",
        chapter=13,
        commands=("upgrade", "python"),
    ),
    Entry(
        id="X03",
        mistake=Mistake(
            "rows that do not fit the new table",
            "Batch mode copies the rows into a new table, _alembic_tmp_ and its name, and some break a rule"
            " of it: NOT NULL, UNIQUE or a CHECK. SQLite takes the half that is done not back.",
            "Find the rows with a SELECT, put them right before the batch, and drop the table"
            " _alembic_tmp_... that was left.",
        ),
        lines=("(sqlite3.IntegrityError) NOT NULL constraint failed: _alembic_tmp_{column}",),
        also=(
            "UNIQUE constraint failed: _alembic_tmp_",
            "CHECK constraint failed: _alembic_tmp_",
        ),
        when=lambda seen: True,
        prevent="Try a migration on a copy of the file first.",
        chapter=8,
    ),
    Entry(
        id="X04",
        mistake=Mistake(
            "an index or a view of SQLite's that uses it",
            "After the change an index, a view or a trigger would name something that is not there any more,"
            " so SQLite takes the change back. The message names it first.",
            "Drop that index, view or trigger before, and make it again afterwards.",
        ),
        lines=("(sqlite3.OperationalError) error in index {index} after drop column: ",),
        also=(
            "error in view {view}: ",
            "error in view {view} after ",
            "error in trigger {trigger}",
        ),
        prevent="Indexes and views in revisions, so that a search finds them.",
        chapter=8,
    ),
    Entry(
        id="X10",
        mistake=Mistake(
            "MySQL has nothing of that name to drop",
            "The table has no index, key or column of this name. Most often MySQL chose another name for it,"
            " or an earlier try of this revision has dropped it: MySQL takes no DDL back.",
            "SHOW CREATE TABLE gives the names. Undo by hand what a broken try has done, or take out of the"
            " revision what is done already.",
        ),
        lines=("(1091, \"Can't DROP '{name}'; check that column/key exists\")",),
        also=("Can't DROP {kind} {name}; check that", "check that column/key exists"),
        prevent="A naming convention, and one operation a revision on MySQL.",
        source="https://github.com/apache/airflow/issues/18939",
        chapter=8,
    ),
    Entry(
        id="X11",
        mistake=Mistake(
            "a key on a column that is not there",
            "An index or a key names a column that the MySQL table does not have.",
            "SHOW CREATE TABLE shows the columns. Put the column in before the key, or spell it as it is.",
        ),
        lines=("Key column '{column}' doesn't exist in table",),
        prevent="Build a database from nothing in CI, with the revisions alone.",
        source="https://github.com/poggit/poggit/issues/171",
        chapter=8,
    ),
    Entry(
        id="X12",
        mistake=Mistake(
            "a key that is too long for MySQL",
            "An index holds 767 or 3072 bytes of a row, and utf8mb4 counts four for each sign.",
            "A shorter String, or mysql_length= in the index; ROW_FORMAT=DYNAMIC on old servers.",
        ),
        lines=("Specified key was too long; max key length is {length} bytes",),
        also=("used in key specification without a key length",),
        prevent="String(191) for what is to be unique.",
        source="https://github.com/tbar0970/jethro-pmm/issues/536",
        chapter=8,
    ),
    Entry(
        id="X13",
        mistake=Mistake(
            "an index that a foreign key needs",
            "MySQL checks a foreign key by an index on its columns, and this is the only one.",
            "Drop the foreign key first, or make another index on the same columns before.",
        ),
        lines=("(1553, \"Cannot drop index '{index}': needed in a foreign key constraint\")",),
        also=("Cannot drop index '{index}': needed in a foreign key constraint",),
        prevent="Drop keys before their indexes.",
        source="https://github.com/pinterest/querybook/issues/935",
        chapter=8,
    ),
    Entry(
        id="X14",
        mistake=Mistake(
            "a foreign key that MySQL refuses",
            "The two columns must have the same type, sign and character set, and the one that is named needs"
            " a primary key or a unique index. Something of it is not so.",
            "Compare both in SHOW CREATE TABLE; SHOW ENGINE INNODB STATUS says what it misses.",
        ),
        lines=(
            "Referencing column '{column}' and referenced column '{other}' in foreign key constraint '{constraint}' are incompatible.",
        ),
        also=(
            "Foreign key constraint is incorrectly formed",
            "Cannot add foreign key constraint",
            "Missing index for constraint",
            "Missing unique key for constraint",
            "Failed to add the foreign key constraint",
        ),
        prevent="One type for ids.",
        source="https://github.com/cloudbase/coriolis/issues/291",
        chapter=8,
    ),
    Entry(
        id="X15",
        mistake=Mistake(
            "a check that names the column",
            "MySQL neither drops nor renames a column that a CHECK of another column or of the table names;"
            " sa.Boolean and sa.Enum of old SQLAlchemy made such checks.",
            "Drop the CHECK first, by its name in SHOW CREATE TABLE, and make it again afterwards.",
        ),
        lines=(
            "Check constraint '{constraint}' uses column '{column}', hence column cannot be dropped",
        ),
        prevent="A name for each CHECK.",
        chapter=8,
        source="https://github.com/sqlalchemy/alembic/issues/699",
    ),
    Entry(
        id="X16",
        mistake=Mistake(
            "a String without a length",
            "VARCHAR needs a length on MySQL, and the column's String has none.",
            "sa.String(255), or sa.Text for long ones.",
        ),
        lines=("VARCHAR requires a length on dialect mysql",),
        also=("VARCHAR requires a length on dialect",),
        prevent="Lengths in the models.",
        chapter=1,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="X20",
        mistake=Mistake(
            "a value of another type than the driver expects",
            "asyncpg sends values as the column's type and converts none: a text for a date, a number for a"
            " text, a time with a zone for a column without one.",
            "Hand over the type itself (date.fromisoformat, int, str); DateTime(timezone=True) for times"
            " that have a zone.",
        ),
        lines=("invalid input for query argument {number}: ",),
        prevent="Columns with their types in data migrations.",
        source="https://github.com/MagicStack/asyncpg/issues/735",
        chapter=7,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="X21",
        mistake=Mistake(
            "two uses of one connection at the same time",
            "asyncpg does one thing at a time on a connection, and a second began before the first had"
            " ended: a session that several tasks share, or an engine that two loops use.",
            "A session for each task; NullPool in tests, where each has a loop of its own.",
        ),
        lines=("cannot perform operation: another operation is in progress",),
        prevent="async with around each session, within the task.",
        source="https://github.com/MagicStack/asyncpg/issues/863",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="X22",
        mistake=Mistake(
            "a prepared statement of somebody else's session",
            "The driver prepares statements on its connection and finds another server's session behind it."
            " Most often PgBouncer, or a provider's pooler, hands connections on after each transaction.",
            "Migrate past the pooler, on PostgreSQL's own port. Else statement_cache_size=0 for asyncpg,"
            " prepare_threshold=None for psycopg 3, and NullPool.",
        ),
        lines=('prepared statement "{statement}" already exists',),
        also=('prepared statement "{statement}" does not exist',),
        kinds=("DuplicatePreparedStatement", "InvalidSqlStatementName"),
        prevent="One address for the pooler, one for migrations.",
        chapter=13,
        commands=("python", "upgrade"),
    ),
)
