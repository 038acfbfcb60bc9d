"""Mistakes in models, and in the application that uses them."""

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, shared

ENTRIES = (
    Entry(
        id="E02",
        mistake=Mistake(
            "the same table twice",
            "MetaData has a table of this name already. Most often the module is imported under two names (app.models and models), or the cell with the models ran again; it can also be two classes with one __tablename__, or a class beside a Table of that name.",
            "Import models by one name; in a notebook restart the kernel. Two classes: give one another __tablename__, or keep one.",
        ),
        lines=(
            "sqlalchemy.exc.InvalidRequestError: Table '{table}' is already defined for this MetaData instance.",
        ),
        prevent="Models in a file. extend_existing=True hides the error and keeps columns that are gone.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01",
        mistake=shared("half a relationship"),
        lines=(
            "sqlalchemy.exc.InvalidRequestError: Mapper 'Mapper[{class}({table})]' has no property '{property}'",
        ),
        also=("has no property '{property}'",),
        cure="Give the other class the attribute that back_populates names, spelled the same.",
        account="The other class has no relationship or column of this name. Most often back_populates names what the other side does not have, or spells it otherwise.",
        prevent="configure_mappers() in a test: no migration would notice.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01b",
        mistake=shared("a relationship leads to a class"),
        lines=(
            "sqlalchemy.exc.InvalidRequestError: When initializing mapper Mapper[{class}({table})],"
            " expression '{name}' failed to locate a name",
        ),
        also=("failed to locate a name (",),
        cure="Spell the class as it is defined, and import its module before the first query.",
        account="SQLAlchemy found no mapped class of this name when it set up the mappers. Most often the module that defines it was not imported by then; it can also be spelled otherwise, or belong to another base class.",
        prevent="configure_mappers() in a test.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01c",
        mistake=shared("a relationship without a foreign key"),
        lines=(
            "sqlalchemy.exc.NoForeignKeysError: Could not determine join condition between parent/child"
            " tables on relationship {relationship} - there are no foreign keys linking these tables.",
        ),
        cure="Add the column with its ForeignKey, or say primaryjoin.",
        prevent="configure_mappers() in a test.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01d",
        mistake=shared("two keys between the same tables"),
        lines=(
            "sqlalchemy.exc.AmbiguousForeignKeysError: Could not determine join condition between"
            " parent/child tables on relationship {relationship} - there are multiple foreign key paths",
        ),
        cure="Say foreign_keys= in the relationship, with the column that is meant.",
        prevent="configure_mappers() in a test.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01e",
        mistake=shared("a foreign key names a table"),
        lines=(
            "sqlalchemy.exc.NoReferencedTableError: Foreign key associated with column '{column}' could"
            " not find table '{table}' with which to generate a foreign key to target column",
        ),
        cure="Write the table as __tablename__ has it, with its schema if it has one, and let env.py"
        " import the module that defines it.",
        account="MetaData has no table of this name. Most often the module that defines it is not imported where this runs; it can also be spelled otherwise, lack its schema, or belong to another base class.",
        prevent="One module that imports all models, and env.py imports that.",
        chapter=6,
        commands=("python", "revision --autogenerate"),
    ),
    Entry(
        id="F01h",
        mistake=shared("a foreign key names a column that is there"),
        lines=(
            "sqlalchemy.exc.NoReferencedColumnError: Could not initialize target column for ForeignKey"
            " '{key}' on table '{table}': table '{other}' has no column named '{column}'",
        ),
        cure="Write the column as the other table has it, mostly its id.",
        prevent="configure_mappers() in a test.",
        chapter=1,
        commands=("python", "revision --autogenerate"),
    ),
    Entry(
        id="F01f",
        mistake=shared("a model without a primary key"),
        lines=(
            "sqlalchemy.exc.ArgumentError: Mapper Mapper[{class}({table})] could not assemble any primary"
            " key columns for mapped table",
        ),
        also=("could not assemble any primary key columns for mapped table",),
        cure="Mark a column, or several, with primary_key=True.",
        prevent="An id in a mixin or in the base class.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01g",
        mistake=Mistake(
            "a name that declarative classes need",
            "metadata and registry are attributes of every declarative class, so no column can have"
            " one of these names.",
            'Call the attribute otherwise, and the column as you like: meta = mapped_column("metadata", ...).',
        ),
        lines=(
            "SAWarning: Attribute name 'metadata' should be left reserved for the MetaData instance",
        ),
        also=(
            "Attribute name 'metadata' is reserved",
            "is reserved when using the Declarative API",
            "is reserved for the MetaData instance",
        ),
        prevent="Know the two names.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F02",
        mistake=shared("two relationships that do not know each other"),
        lines=(
            "SAWarning: relationship '{relationship}' will copy column {column} to column {other}, which"
            " conflicts with relationship(s):",
        ),
        cure="back_populates on both sides.",
        prevent="Turn SAWarning into an error in tests.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F03",
        mistake=shared("an annotation without Mapped"),
        lines=('Type annotation for "{attribute}" can\'t be correctly interpreted',),
        cure="Mapped[int] in place of int.",
        prevent="A type checker with the models.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F03c",
        mistake=Mistake(
            "a Python type that no column is known for",
            "SQLAlchemy chooses the column's type by the annotation, and it knows none for this one: a dict, a"
            " list or a class of your own; or the name in the annotation is not imported in this module.",
            "Say the type: mapped_column(JSON); or type_annotation_map in the base class for all of them. For"
            " another table's rows: relationship().",
        ),
        lines=(
            "sqlalchemy.orm.exc.MappedAnnotationError: Could not locate SQLAlchemy Core type when resolving"
            " for Python type indicated by",
        ),
        also=(
            "Could not locate SQLAlchemy Core type for Python type",
            "Could not resolve all types within mapped annotation",
        ),
        prevent="A type checker with the models.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F01i",
        mistake=Mistake(
            "two classes of one name",
            "A relationship names a class by its name alone, and two mapped classes have it. It can be one"
            " class whose module was imported under two names.",
            "Write the name with its module, as in relationship('app.models.user.User'), or hand the class"
            " over; import each module by one name.",
        ),
        lines=(
            'sqlalchemy.exc.InvalidRequestError: Multiple classes found for path "{class}" in the registry of'
            " this declarative base.",
        ),
        prevent="configure_mappers() in a test.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F03b",
        mistake=Mistake(
            "an old way to make a base class",
            "declarative_base has moved to sqlalchemy.orm, and DeclarativeBase has taken its place."
            " Nothing has failed.",
            "class Base(DeclarativeBase): pass, with Mapped[] and mapped_column().",
        ),
        lines=("MovedIn20Warning: The ``declarative_base()`` function is now available as",),
        prevent="Run tests with warnings as errors before an update.",
        chapter=1,
        commands=("python",),
    ),
    Entry(
        id="F05",
        mistake=Mistake(
            "a prepared statement outlived its table",
            "psycopg 3 prepares a statement that is used often, and the table has other columns now.",
            "Name the columns in place of SELECT *; try once more; or prepare_threshold=None.",
        ),
        lines=("cached plan must not change result type",),
        also=("InvalidCachedStatementError",),
        prevent="Migrate as expand and contract, so that the running application's queries keep their shape.",
        chapter=12,
        commands=("python",),
    ),
)
