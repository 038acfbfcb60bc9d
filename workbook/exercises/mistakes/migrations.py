"""The well-known mistakes in migrations: how a trial shows them, and what to tell the learner.

Those of a step are looked for first, where it has failed: STOPPED. Then comes SHOWN, what the text
shows and what came out. The first that fits is told.
"""

import ast
import re
import sys
from inspect import signature

import sqlalchemy as sa
from alembic.operations import Operations

from workbook import schema
from workbook.exercises import ANY, Mistake
from workbook.exercises.mistakes.common import (
    DOTTED,
    IDENTITY,
    SPELT,
    SQUARE,
    about,
    key_says,
    lacks,
    lengths_differ,
    only_null_differs,
    without_quotes,
)
from workbook.exercises.trial import Trial, called, rows_differ

NAMES = {each.lower() for each in dir(sa) if not each.startswith("_")}
DIALECTS = ("mssql", "mysql", "oracle", "postgresql", "sqlite")  # whose arguments begin with it


def _undone(trial: Trial) -> str:
    up = trial.run.after("upgrade")
    meant = trial.back != trial.before  # then it may do nothing
    if meant or trial.down is None or up is None or not trial.before != up.schema == trial.down:
        return ""
    left = schema.differences(trial.down, trial.before)[0]
    return left.replace("Extra:", "Still there:").replace("Missing:", "Still missing:")


def _left_index(trial: Trial) -> str:
    if trial.down is None or trial.up is None:
        return ""
    return about(
        f"{index} on {name}"
        for name, table in trial.before.tables.items()
        if name in trial.down.tables
        for index in {index.name for index in trial.down.tables[name].indexes}
        - {index.name for index in table.indexes}
    )


def _wide_drop(trial: Trial) -> str:
    if trial.down is not None:
        up = trial.run.after("upgrade")
        there = trial.before.tables.keys() & (up.schema.tables.keys() if up else set())
        gone = there - trial.down.tables.keys()  # by the downgrade, not by another name
        return about(f"the table {table}" for table in gone) or (
            "A table that another program had made went, too." if trial.run.harmed else ""
        )
    if trial.error.step != "downgrade":
        return ""
    return about(
        f"the table {table}"
        for table in trial.said(r"^cannot drop table (\w+)")
        if table in trial.before.tables
    )


def _functions(trial: Trial) -> list[ast.FunctionDef]:
    return [each for each in trial.tree.body if isinstance(each, ast.FunctionDef)]


def _not_found(trial: Trial) -> object:
    """The function that Alembic does not find: one of another name, or that it is not there."""
    if trial.failed("TypeError", "grade() missing"):
        return [each for each in _functions(trial) if each.args.args]
    lacks = trial.said(r"_py' has no attribute '(\w+)'") or trial.said(
        r"^name '(downgrade)' is not"
    )
    others = [each for each in _functions(trial) if each.name not in ("upgrade", "downgrade")]
    return lacks and (others or f"There is no function {lacks[0]}().")


def _twice(trial: Trial) -> list[ast.FunctionDef]:
    names = [each.name for each in _functions(trial)]
    return [each for n, each in enumerate(_functions(trial)) if each.name in names[:n]]


def _swallowed(trial: Trial) -> list[ast.Try]:
    wrong = trial.error or trial.up != trial.goal or trial.down not in (None, trial.back)
    return [each for each in ast.walk(trial.tree) if isinstance(each, ast.Try) and wrong]


def _another_table(trial: Trial) -> list[ast.Call]:
    """The calls of drop_index that name another table than the index's."""
    tables = {
        index.name: table
        for made in (trial.before, trial.up or trial.before)
        for table, content in made.tables.items()
        for index in content.indexes
    }

    def wrong(call: ast.Call) -> bool:
        given = [*call.args, None, None][:2]
        keywords = {each.arg: each.value for each in call.keywords}
        name, table = (
            getattr(part or keywords.get(key), "value", None)
            for part, key in zip(given, ("index_name", "table_name"), strict=True)
        )
        return isinstance(table, str) and tables.get(str(name), table) != table

    return [call for call in trial.calls("drop_index") if wrong(call)]


NAMED_FIRST = re.compile(
    "(create_(.*_constraint|index|foreign_key|exclude)|drop_(constraint|index))"
)


def _name_after_table(trial: Trial) -> object:
    """The calls that name a table first, then a constraint or an index of it, which is no table."""
    there = (trial.up or trial.before).tables.keys() | trial.goal.tables.keys()

    def swapped(call: ast.Call) -> bool:
        names = [each.value for each in call.args[:2] if isinstance(each, ast.Constant)]
        return len(names) == 2 and names[0] in there and names[1] not in there

    calls = [each for each in ast.walk(trial.tree) if isinstance(each, ast.Call)]
    found = [each for each in calls if NAMED_FIRST.fullmatch(called(each)) and swapped(each)]
    if trial.failed("WrongObjectType", "is not an index") or trial.failed(
        "WrongObjectType", "CONSTRAINT"
    ):
        return found or True
    return trial.failed("UndefinedTable", "relation") and found


def _passed_over(trial: Trial) -> object:
    known = signature(Operations.alter_column).parameters
    return trial.up is not None and about(
        f"{each.arg}="
        for call in trial.calls("alter_column")
        for each in call.keywords
        if each.arg and each.arg not in known and each.arg.split("_")[0] not in DIALECTS
    )


def _nothing_to_alter(trial: Trial) -> list[ast.Call]:
    if trial.calls("add_column", "upgrade") or not any(
        goal.columns.keys() - (trial.up or trial.before).tables[table].columns.keys()
        for table, goal in trial.goal.tables.items()
        if table in trial.before.tables and table in (trial.up or trial.before).tables
    ):
        return []
    return [
        call
        for call in trial.calls("alter_column", "upgrade")
        if "new_column_name" not in {each.arg for each in call.keywords}
        and not _names_what_is_there(trial, call)
    ]


def _names_what_is_there(trial: Trial, call: ast.Call) -> bool:
    """Whether the call's first two arguments are a table and a column that were there before."""
    names = [each.value for each in call.args[:2] if isinstance(each, ast.Constant)]
    return any(
        [name, column] == names for name, t in trial.before.tables.items() for column in t.columns
    )


def _referring(trial: Trial, parent: str) -> str:
    up = trial.run.after("upgrade")
    ties = {
        table
        for table, content in (up.schema.tables if up else {}).items()
        for rule in content.constraints
        if f"REFERENCES {parent}(" in rule.definition
    }
    return f"Still there, with a key that refers to {parent}: {' and '.join(sorted(ties))}."


def _says(node: ast.AST, pattern: str) -> bool:
    return isinstance(node, ast.Constant) and bool(
        re.search(pattern, str(node.value), re.IGNORECASE)
    )


def _null_in_rows(trial: Trial) -> str:
    return about(
        f"{table}.{column}"
        for column, table in re.findall(
            r'column "(.*)" of relation "(.*)" con', trial.error.message
        )
    )


def _without_sa(trial: Trial) -> bool:
    return trial.unknown().lower() in NAMES


def _wrong_case(trial: Trial) -> bool:
    name = trial.lacking("sqlalchemy")
    return trial.unknown() in ("true", "false", "none") or name.lower() in NAMES


def _made_elsewhere(trial: Trial) -> bool:
    """Whether the name that Python did not know is a variable of another function."""
    names = [each for each in ast.walk(trial.tree) if isinstance(each, ast.Name)]
    return trial.unknown() in {each.id for each in names if isinstance(each.ctx, ast.Store)}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _broken_by_rows(trial: Trial) -> str:
    """The rule that rows break which are there already."""
    added = trial.failed("ForeignKeyViolation", "insert or update") and (
        trial.calls("create_foreign_key") or "FOREIGN KEY" in trial.error.line.upper()
    )
    if added or trial.said("^(could not create unique index|check constraint .* by some row)"):
        return about(trial.said(r'(?:index|constraint) "(.*?)"'))
    return ""


def _commits(trial: Trial) -> list[ast.Call]:
    """The calls that end the transaction. A Session's commit() leaves that to the connection's owner.

    A block of PL/pgSQL may commit where there is no transaction, and is stopped where there is one.
    """
    ends = [] if trial.calls("Session") else trial.calls("commit")
    ends += [call for call in trial.calls("commit") if "get_bind" in ast.unparse(call)]
    return ends + [
        call
        for call in [*trial.calls("execute"), *trial.calls("text")]
        for text in call.args
        if _says(text, r"(^|;)\s*COMMIT\b") and not _says(text, r"\$\$")
    ]


def _unsent(trial: Trial) -> list[ast.expr]:
    """The statements that stand alone on a line, of SQLAlchemy's or as text, where rows are wrong."""
    made = ("from_select", "select", "text", "values", "where")
    sql = r"^\s*(DELETE FROM|INSERT INTO|UPDATE \w+ SET)\b"
    lines = [each.value for each in ast.walk(trial.tree) if isinstance(each, ast.Expr)]
    return [
        line
        for line in (lines if trial.error or rows_differ(trial) else [])
        if (isinstance(line, ast.Call) and called(line) in made) or _says(line, sql)
    ]


def _imports(trial: Trial, package: str) -> list[ast.stmt]:
    return [
        each
        for each in ast.walk(trial.tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for name in [*(alias.name for alias in each.names), getattr(each, "module", None) or ""]
        if name.split(".")[0] == package
    ]


STOPPED = (
    Mistake(
        "upgrade and downgrade are swapped",
        "upgrade() leads from the old tables to the new ones, and yours begins by taking away what is"
        " not there yet.",
        "Ask for each function which of the two directions it is.",
        lambda t: [
            call
            for what, made in (("table", "create_table"), ("column", "add_column"))
            if "does not exist" in t.error.message and t.calls(made, "downgrade")
            for call in t.calls("drop_" + what, "upgrade")
            if "drop_" in t.error.line
        ],
        step="upgrade",
    ),
    Mistake(
        "the child comes before the parent",
        "A foreign key can only refer to a table that exists already.",
        "Look at which table holds the foreign key, and create the other one first.",
        lambda t: next(
            (
                f"The table {table} is not there yet."
                for table in t.goal.tables.keys() - t.before.tables.keys()
                if t.failed("UndefinedTable", f'relation "{table}"')
                and f"REFERENCES {table}(" in str(t.goal)
            ),
            "",
        ),
        step="upgrade",
    ),
    Mistake(
        "a foreign key names a table",
        "A foreign key names the other table and its column, as the database knows them: there is no"
        " table of this name.",
        "Compare it with the names in op.create_table.",
        lambda t: (
            t.up is None  # or the table was there at the first upgrade
            and t.failed("UndefinedTable", "relation")
            and "ForeignKey" in t.source
            and [
                text
                for table in t.said(r'relation "(.*?)"')
                for text in key_says(t, rf"{re.escape(table)}\..*")
            ]
        ),
        step="upgrade",
    ),
    DOTTED,
    Mistake(
        "a foreign key refers to a key",
        "It names one row of the other table, so it needs a column there that tells the rows apart.",
        "Look up which column of the other table is its primary key.",
        lambda t: [
            text
            for other in t.said(r'^column "(.*?)" referenced in foreign key')
            or t.said(r"^there is no unique constraint .* (table)")
            for text in key_says(
                t, r"\w+\." + ("(?!id$).*" if other == "table" else re.escape(other))
            )
        ],
        step="upgrade",
    ),
    Mistake(
        "a key of another type",
        "A foreign key holds a value of the column that it refers to, so both have one type.",
        "Compare the types of the two columns.",
        lambda t: (
            t.failed("DatatypeMismatch", "cannot be implemented")
            and about(t.said(r'foreign key constraint "(.*?)"'))
        ),
        step="upgrade",
    ),
    Mistake(
        "here first, there second",
        "ForeignKeyConstraint takes two lists. The first names columns of the table that is being"
        " made; the second says where they lead.",
        "Compare the names in the first list with those of your columns.",
        lambda t: (
            t.failed("ConstraintColumnNotFoundError")
            and [
                text
                for name in t.said("no column named '(.*?)'")
                for text in key_says(t, re.escape(name))
            ]
        ),
        step=ANY,
    ),
    Mistake(
        "text in place of a list",
        "A key or an index may consist of several columns, so a list is asked for. Text is taken apart"
        " letter by letter.",
        "Put it into square brackets, even with a single name inside.",
        lambda t: (
            t.failed("ArgumentError", "number of constrained columns")
            or (t.failed("DuplicateColumnError") and t.calls("create_index"))
            or (
                re.match(r'column "\w" named in key does not exist', t.error.message)
                and t.calls("create_unique_constraint")
            )
        ),
        step=ANY,
    ),
    Mistake(
        "the parent is dropped before the child",
        "PostgreSQL refuses to drop a table that a foreign key still refers to.",
        "Read your upgrade from the bottom up: that is the order for the downgrade.",
        lambda t: (
            t.failed("DependentObjectsStillExist", "drop table")
            and not _wide_drop(t)
            and _referring(t, *t.said(r"drop table (\w+)"))
        ),
        step="downgrade",
    ),
    Mistake(
        "default= is Python's, not the database's",
        "default= is for objects that Python makes. The rows that are there already are the database's"
        " affair, and it does not see it.",
        "A value that the database itself fills in has an argument of its own. Or may the value be"
        " missing?",
        lambda t: (
            t.failed("NotNullViolation")
            and any(each.arg == "default" for call in t.calls("Column") for each in call.keywords)
            and _null_in_rows(t)
        ),
        step="upgrade",
    ),
    Mistake(
        "required before every row has a value",
        "NOT NULL holds for the rows that are there, too, and some of them have no value yet.",
        "Give them one first. Which rows does your UPDATE reach, and when does it run?",
        lambda t: (
            t.failed("NotNullViolation")
            and re.search("alter_column|SET NOT NULL", t.error.line)
            and _null_in_rows(t)
        ),
        step=ANY,
    ),
    Mistake(
        "NOT NULL on a table that holds rows",
        "The rows that are there already would have nothing in this column, so PostgreSQL refuses."
        " On an empty table it would have worked.",
        "Ask yourself what the old rows are to hold. A value that the database itself fills in is a"
        " server_default; a column whose value may be missing is nullable.",
        lambda t: t.failed("NotNullViolation") and _null_in_rows(t),
        step=ANY,
    ),
    Mistake(
        "a type change that needs USING",
        "PostgreSQL changes a type by itself only where no value can be in doubt. Here it wants to be"
        " told what an old value becomes.",
        "postgresql_using= takes an expression in SQL that gives the new value.",
        lambda t: t.failed("DatatypeMismatch", "cannot be cast automatically"),
        step=ANY,
    ),
    Mistake(
        "a value that the new type does not take",
        "The expression works for some rows, and another row holds a value that it cannot read.",
        "Look for the values that are different from the rest, and say what becomes of them.",
        lambda t: t.failed("InvalidTextRepresentation", "syntax") and f"{t.error.message}.",
        step=ANY,
    ),
    Mistake(
        "a value that is too long",
        "A value does not fit into the length of its column. PostgreSQL cuts nothing off, it refuses.",
        "Compare the length in your code with the task, and with the longest value.",
        lambda t: t.failed("StringDataRightTruncation"),
        step=ANY,
    ),
    Mistake(
        "ids that the sequence does not know",
        "The rows of the migration brought ids along, and the sequence still begins at the first one: it"
        " gave the application's next row an id that is taken.",
        "Tell the sequence how far the ids go, or let it give them.",
        lambda t: t.failed("UniqueViolation", "_pkey"),
        step="in use",
    ),
    Mistake(
        "a table is an object here",
        "op.bulk_insert asks the table for its columns, and text has none.",
        "op.create_table gives such an object; sa.table makes one for a table that is there already.",
        lambda t: (
            t.failed("AttributeError", "'str' object has no attribute") and t.calls("bulk_insert")
        ),
        step=ANY,
    ),
    Mistake(
        "rows that break the rule",
        "A rule that comes to a table is held against the rows that are there, and some of them break it.",
        "Find them with a SELECT, and put them right before the rule comes, in the same revision.",
        _broken_by_rows,
        step="upgrade",
    ),
    Mistake(
        "from the key to where it leads",
        "op.create_foreign_key names the table that holds the key before the one that it leads to, and"
        " its columns in the same order.",
        "Which of the two tables has the column that refers to the other?",
        lambda t: (
            t.error.name in ("InvalidForeignKey", "UndefinedColumn")
            and t.calls("create_foreign_key", t.error.step.removesuffix(" again"))
        ),
        step=ANY,
    ),
    Mistake(
        "a type that is there already",
        "Something has made a type of this name: an earlier line, or an earlier revision.",
        "Make it in one place.",
        lambda t: (
            t.error.step == "upgrade"
            and t.failed("DuplicateObject", "type")
            and about(t.said('type "(.*?)"'))
        ),
        step="upgrade",
    ),
    Mistake(
        "a type that is still in use",
        "PostgreSQL refuses to drop a type that a column still has.",
        "Is it the type that this revision made? If so, which of the two has to go first?",
        lambda t: (
            t.failed("DependentObjectsStillExist", "drop type")
            and about(t.said(r"drop type (\w+)"))
        ),
        step=ANY,
    ),
    Mistake(
        "a type is made on a connection",
        "create() and drop() of a type send their SQL at once, and have to be told where to.",
        "A migration has its connection from op.get_bind().",
        lambda t: t.failed("TypeError", "SchemaType") and bool(t.said("('bind')")),
        step=ANY,
    ),
    Mistake(
        "a value that the enum does not have",
        "The values of an enum are a list that PostgreSQL knows, and this one is not in it.",
        "Compare it with the values where the type is made, letter by letter.",
        lambda t: (
            t.failed("InvalidTextRepresentation", "enum") and about(t.said('enum .*: ("?.*"?)'))
        ),
        step="upgrade",
    ),
    Mistake(
        "a default for the server is SQL",
        "It becomes a part of the statement, so it is a text: a value in quotes, or sa.text(...) for an"
        " expression. A number of Python's is for default=, which the server never hears of.",
        "Write the value as text.",
        lambda t: t.failed("ArgumentError", "Argument 'arg' is expected to be one of type"),
        step=ANY,
    ),
    Mistake(
        "a default without quotes",
        "sa.text hands SQL over as it stands, and to SQL a word without quotes is a column's name.",
        "A value that is text needs no sa.text: server_default puts quotes around it.",
        lambda t: t.failed("FeatureNotSupported", "column reference in DEFAULT"),
        step="upgrade",
    ),
    Mistake(
        "the rule's own name comes first",
        "Four things follow it: both tables, and a list of columns for each. So a name is missing, and"
        " not what the error says.",
        "Put a name of your choice in front, or None, which leaves it to PostgreSQL.",
        lambda t: (
            t.failed("TypeError", "create_foreign_key() missing") and t.calls("create_foreign_key")
        ),
        step=ANY,
    ),
    Mistake(
        "one table at a time",
        "op.drop_table takes the name of one table.",
        "Write a line for each table, the one that refers to others first.",
        lambda t: (
            (t.failed("TypeError", "drop_table()") or t.failed("TypeError", "unhashable type"))
            and t.calls("drop_table")
        ),
        step=ANY,
    ),
    Mistake(
        "upper and lower case",
        "Upper and lower case are different names to Python: True is not true, and a class is written"
        " with a capital letter.",
        "Compare the line with one that works, letter by letter.",
        _wrong_case,
        step=ANY,
    ),
    Mistake(
        "sa. is missing",
        "In a revision, SQLAlchemy is imported under the name sa, and Alembic's operations as op.",
        "Write sa. before types, columns and constraints.",
        lambda t: _without_sa(t) or hasattr(sa, t.lacking("alembic.op") or "?"),
        step=ANY,
    ),
    Mistake(
        "op. is missing",
        "The operations, such as create_table, are functions of op.",
        "Write op. before them.",
        lambda t: hasattr(Operations, t.unknown() or t.lacking("sqlalchemy") or "?"),
        step=ANY,
    ),
    Mistake(
        "an operation that Alembic does not have",
        "op has the operations that Alembic knows, and none of this name.",
        "Put into words what is to change about what. Alembic's operation reference lists what there"
        " is for it; where there is nothing, op.execute takes SQL.",
        lambda t: t.lacking("alembic.op") and t.calls(t.lacking("alembic.op")),
        step=ANY,
    ),
    Mistake(
        "a variable of the other function",
        "What one function makes, the other does not see, and they run on different days.",
        "Make it in this function too, or above both of them.",
        _made_elsewhere,
        step=ANY,
    ),
    Mistake(
        "a name without quotes",
        "The names of tables and columns, and the values of an enum, are text in a revision. Without"
        " quotes, Python looks for a variable of that name.",
        "Put the name in quotes.",
        without_quotes,
        step=ANY,
    ),
    Mistake(
        "an import is missing",
        "Python does not know the name, because the file never brought it in.",
        "Write the import at the top of the file.",
        lambda t: t.unknown() in sys.stdlib_module_names | {"postgresql", "Base", "Session"},
        step=ANY,
    ),
    Mistake(
        "text that SQLAlchemy does not take",
        "A connection of SQLAlchemy executes sa.text(...), and refuses plain text.",
        "op.execute takes both.",
        lambda t: t.failed("ObjectNotExecutableError"),
        step=ANY,
    ),
    Mistake(
        "columns that sa.table was not given",
        "sa.table knows those columns that it is given, and asks no database for others.",
        "Name with sa.column each one that the statement uses.",
        lambda t: t.failed("AttributeError") and t.calls("table") and about(t.said(r"^(\w+)$")),
        step=ANY,
    ),
    Mistake(
        "a colon in SQL text",
        "To SQLAlchemy, a colon and a word are the place for a value that is handed in later.",
        'A backslash before the colon makes it a colon and nothing else; the text is a raw string, r"...", then.',
        lambda t: t.failed("StatementError", "bind parameter"),
        step=ANY,
    ),
    Mistake(
        "a constraint without a name, dropped by name",
        "To drop a constraint, PostgreSQL has to be told its name, and this one has none.",
        "Give the constraint a name where it is made, and use the same name to drop it.",
        lambda t: (
            t.failed("CompileError", "it has no name")
            or t.failed("ValueError", "it has no name")
            or [call for call in t.calls("drop_constraint") if call.args and _is_none(call.args[0])]
        ),
        step=ANY,
    ),
    Mistake(
        "an enum without a name",
        "An enum is a type of its own in PostgreSQL, beside the tables, and has a name like any other.",
        "sa.Enum takes the values, and then name=.",
        lambda t: t.failed("CompileError", "ENUM type requires a name"),
        step=ANY,
    ),
    Mistake(
        "a column's name is missing",
        "In op.create_table and op.add_column, each sa.Column begins with its name as a string.",
        "Compare your columns with those of companies.",
        lambda t: (
            t.failed("CompileError", "name")
            or t.failed("ArgumentError", "non-blank name")
            or t.failed("ArgumentError", "without a name")
        ),
        step=ANY,
    ),
    Mistake(
        "a type is missing",
        "Each new column has a type, and this one has none.",
        "Compare your columns with those of companies.",
        lambda t: t.failed("CompileError", "NullType"),
        step=ANY,
    ),
    Mistake(
        "a type stands by itself",
        "Beside its name, a sa.Column takes a type of SQLAlchemy's: no quotes around it, its length in"
        " brackets of its own.",
        "Compare your columns with those of companies.",
        lambda t: t.failed("ArgumentError", "'SchemaItem' object"),
        step=ANY,
    ),
    Mistake(
        "a function that Alembic does not find",
        "Alembic calls upgrade() on the way up and downgrade() on the way back, by these names, and"
        " hands nothing in.",
        "Write both, with empty brackets.",
        _not_found,
        step=ANY,
    ),
    Mistake(
        "an operation outside of a function",
        "Alembic reads the file first, to learn its id, and calls the functions later. Until then op has"
        " nothing to work on.",
        "Put the operations into upgrade() and downgrade(), indented.",
        lambda t: ": op." in t.error.line,
        step="read",
    ),
    Mistake(
        "a column is dropped by its name",
        "What is to go needs no type: op.drop_column takes the table's name and the column's.",
        "Leave the sa.Column for the way up.",
        lambda t: (
            t.failed("TypeError")
            and any(isinstance(each, ast.Call) for c in t.calls("drop_column") for each in c.args)
        ),
        step="downgrade",
    ),
    Mistake(
        "a column is a sa.Column",
        "op.add_column takes the table's name and one sa.Column, which holds the column's own name and"
        " its type.",
        "Compare it with a column in op.create_table.",
        lambda t: (
            t.error.name in ("ArgumentError", "AttributeError", "TypeError")
            and any(
                [type(each) for each in call.args[:2]] in ([ast.Constant] * 2, [ast.Call])
                for call in t.calls("add_column")
            )
        ),
        step="upgrade",
    ),
    Mistake(
        "the table's name comes first",
        "PostgreSQL looked for a table of this name, and it is the name of a column.",
        "First the table, then the column.",
        lambda t: next(
            (
                f"{column} is the name of a column."
                for table in t.goal.tables.values()
                for column in table.columns
                if t.failed("UndefinedTable", f'relation "{column}"')
            ),
            "",
        ),
        step=ANY,
    ),
    Mistake(
        "the name comes before the table",
        "An operation on a constraint or an index takes its own name first, and the table's second."
        " Here they have changed places.",
        "Which of the two is the table?",
        _name_after_table,
        step=ANY,
    ),
    Mistake(
        "no index of this name",
        "op.drop_index takes the name of an index, not of its column, and at this point there is no"
        " index of this name. A table that is dropped takes its indexes with it.",
        "Compare the name and the order with upgrade().",
        lambda t: (
            about(f"index {name}" for name in t.said(r'^index "(.+)" does not exist'))
            if t.calls("drop_index")
            else ""
        ),
        step=ANY,
    ),
    Mistake(
        "a table that is there already",
        "create_table makes a table, and a table of this name exists: an earlier revision made it.",
        "To change a table that exists, there are other operations.",
        lambda t: (
            t.error.step == "upgrade"
            and about(
                f"the table {table}"
                for table in t.before.tables
                if t.failed("DuplicateTable", f'"{table}"')
            )
        ),
        step="upgrade",
    ),
    Mistake(
        "a column that is there already",
        "The table has a column of this name, and add_column brings a new one.",
        "Does the task ask for a new column, or for a change to one that is there?",
        # not the second upgrade: there it was the downgrade that left it
        lambda t: (
            t.failed("DuplicateColumn")
            and t.error.step == "upgrade"
            and t.calls("add_column", "upgrade")
        ),
        step="upgrade",
    ),
    Mistake(
        "add_column makes no type",
        "An enum is a type of its own in PostgreSQL. create_table makes it along with the table,"
        " add_column does not.",
        "Is an enum what the task asks for? If so, make its type first, and drop it on the way back.",
        lambda t: t.failed("UndefinedObject", "type") and bool(t.calls("add_column")),
        step="upgrade",
    ),
    Mistake(
        "an index is not a constraint",
        "There is no constraint of this name. What has it is an index, and that has operations of its"
        " own.",
        "Compare the operation with the one that made it.",
        lambda t: (
            t.failed("UndefinedObject", "constraint")
            and t.up is not None
            and any(
                f'"{index.name}"' in t.error.message
                for table in t.up.tables.values()
                for index in table.indexes
            )
        ),
        step=ANY,
    ),
    Mistake(
        "a name that the convention makes longer",
        "The project's naming convention puts a beginning of its own before the name of a CHECK, and so"
        " the constraint has two. op.f says that a name is complete already.",
        "Use op.f where it is made, or leave the beginning to the convention.",
        lambda t: (
            t.failed("UndefinedObject", "constraint")
            and [
                each
                for each in t.calls("create_check_constraint")
                if isinstance(each.args[0], ast.Constant)
                and [each.args[0].value] == [*t.said('constraint "(.*?)"')]
            ]
        ),
        step=ANY,
    ),
    Mistake(
        "a guessed constraint name",
        "This table has no constraint of this name. What nobody has named, PostgreSQL names by itself.",
        "Look the name up in pg_constraint.",
        lambda t: t.failed("UndefinedObject", "constraint"),
        step=ANY,
    ),
    Mistake(
        "Alembic's own table is gone",
        "alembic_version is where Alembic remembers what has been applied. It takes care of that"
        " table, and after your code it could not find it.",
        "Undo what upgrade() did, and leave the rest.",
        lambda t: (
            t.failed("UndefinedTable", '"alembic_version"')
            and (
                [each for each in ast.walk(t.tree) if _says(each, "alembic_version|schema public")]
                or True
            )
        ),
        step=ANY,
    ),
)

SHOWN = (
    Mistake(
        "two functions of one name",
        "Python keeps the last of them. The one above it is as if it were not there.",
        "Which of the two is the other direction?",
        _twice,
    ),
    Mistake(
        "an error that is swallowed",
        "PostgreSQL refuses everything in a transaction after an error, until it is rolled back. Alembic has to hear of the error to do that.",
        "Take the try away, read the error, and mend what it is about.",
        _swallowed,
    ),
    SQUARE,
    Mistake(
        "an argument that is passed over",
        "alter_column takes whatever it is given, and says nothing of what it does not know. So the column"
        " stays as it was.",
        "Its documentation lists what it knows; compare the names letter by letter.",
        _passed_over,
    ),
    Mistake(
        "nothing there to alter",
        "alter_column changes a column that a table has already.",
        "The column is new: which operation brings one?",
        _nothing_to_alter,
    ),
    Mistake(
        "an index of another table",
        "PostgreSQL finds an index by its name alone, so the wrong table is not noticed. Another database would stop, and a reader looks in the wrong place.",
        "Compare the table with the one in op.create_index.",
        _another_table,
    ),
    SPELT,
    Mistake(
        "two transactions in one migration",
        "The migration opened a connection of its own and waits for a lock that Alembic's connection holds. It"
        " would wait for ever.",
        "Work through op, which uses Alembic's connection.",
        lambda t: t.calls("create_engine") or (t.failed("LockNotAvailable") and t.error.line),
    ),
    Mistake(
        "a migration that commits",
        "A commit ends Alembic's transaction. When a later line fails, half of the migration stays."
        " As the last line it does harm, too: the upgrade ends without an error, Alembic's row is not"
        ' written, and the next upgrade does it all again, or stops at "already exists".',
        "Leave the commit out: Alembic commits when the whole migration has gone well.",
        _commits,
    ),
    Mistake(
        "a statement that nobody sends",
        "The line makes a statement, and no database hears of it.",
        "op.execute takes a statement, and sends it.",
        _unsent,
    ),
    Mistake(
        "create_all in a migration",
        "create_all makes the tables as the models are today. In a year this file would make others,"
        " and it never changes a table that exists.",
        "Spell the change out with op.",
        lambda t: t.calls("create_all"),
    ),
    Mistake(
        "models imported into a migration",
        "The models will change and this file must not: on a fresh database it would one day meet"
        " columns that do not exist yet at this point of the history.",
        "Name tables and columns in the revision itself.",
        lambda t: _imports(t, "jobboard"),
    ),
    Mistake(
        "a ForeignKey without its column",
        "sa.ForeignKey is a part of a sa.Column. Beside the columns it has no effect, and nobody says"
        " so.",
        "Put it into the column, or write the constraint that the task names.",
        lambda t: [
            part
            for call in t.calls("create_table")
            for part in call.args
            if isinstance(part, ast.Call) and called(part) == "ForeignKey" and lacks(t, "f")
        ],
    ),
    Mistake(
        "a downgrade that takes too much",
        "Its downgrade drops a whole table that an earlier revision made, with all of its rows.",
        "Undo what this revision's upgrade did, and nothing else.",
        _wide_drop,
    ),
    Mistake(
        "a downgrade that does nothing",
        "After the downgrade everything was as the upgrade had left it. The next upgrade would fail, or"
        " do its work twice.",
        "For each operation of upgrade(), write the one that undoes it.",
        _undone,
    ),
    Mistake(
        "a type that stays behind",
        "Dropping a table or a column does not drop the enum type that it used. The next upgrade"
        ' stops at "type already exists".',
        "Drop the type as well.",
        lambda t: (
            t.down is not None
            and about(f"the type {name}" for name in t.down.enums.keys() - t.back.enums.keys())
        ),
    ),
    Mistake(
        "a rule for new rows alone",
        "NOT VALID leaves the rows that are there unread: they may break the rule.",
        "It is half of the work. The other half is VALIDATE CONSTRAINT.",
        lambda t: about(
            f"{rule.name} on {name}"
            for name, table in (t.up or t.goal).tables.items()
            for rule in table.constraints
            if rule.definition.endswith(" NOT VALID")
        ),
    ),
    Mistake(
        "an index that stays behind",
        "The downgrade went through, and the index is still there. The next upgrade stops at"
        ' "already exists".',
        "Compare upgrade() and downgrade() operation by operation.",
        _left_index,
    ),
    Mistake(
        "no primary key",
        "Without one, two rows can be the same, and no other table can refer to a row.",
        "Mark the column that tells one row from another as the primary key, or each of them, if it"
        " takes several.",
        lambda t: lacks(t, "p"),
    ),
    Mistake(
        "an id is not a rule",
        "The column is there, but nothing keeps it from holding the id of a row that does not exist.",
        "A foreign key constraint is what makes the tie. It is one line more.",
        lambda t: lacks(t, "f"),
    ),
    IDENTITY,
    Mistake(
        "a column may be NULL unless you say otherwise",
        "In a migration, nullable is true where it is not mentioned. A model is the other way round.",
        "Say it for each column that must have a value.",
        lambda t: only_null_differs(t, allows_too_much=True),
    ),
    Mistake(
        "a column that must have a value",
        "You made the column NOT NULL, and it was asked for as one whose value may be missing.",
        "Look at the task once more: may the value be missing?",
        lambda t: only_null_differs(t, allows_too_much=False),
    ),
    Mistake(
        "another length",
        "The length of a string is part of its type: PostgreSQL cuts nothing off, it refuses.",
        "Compare the length in your code with the task.",
        lengths_differ,
    ),
    Mistake(
        "rows that were there are not the same",
        "The tables have the right shape, but rows were lost or changed on the way, up or down.",
        "Look for the operation that touches rows. A column can be added and dropped without that.",
        lambda t: t.up == t.goal and about([f"the rows of {t.lost}"] if t.lost else []),
    ),
)

MIGRATION = (*STOPPED, *SHOWN)
