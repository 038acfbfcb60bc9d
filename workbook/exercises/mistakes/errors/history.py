"""Mistakes in the revision graph, and in where a database stands in it."""

import re
from collections.abc import Iterable

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen, index_is_made, shared

LOCATE = "FAILED: Can't locate revision identified by '{revision}'"


def _heads(seen: Seen) -> Iterable[str]:
    site = seen.site
    for head in site.heads if site else ():
        if file := site and site.file(head):
            yield f"{head} is a head: {site.path(file.path)} comes after {' and '.join(file.down) or 'nothing'}."


def _nearby(seen: Seen) -> Iterable[str]:
    """The files that there are, and those that name the revision."""
    site = seen.site
    if not site:
        return
    wanted = seen.name("revision")
    for file in site.files:
        if wanted in file.down:
            yield f"{site.path(file.path)} comes after {wanted}."
        elif wanted and file.revision.startswith(wanted[:4]):
            yield f"There is {file.revision} ({site.path(file.path)})."


def _of_the_database(seen: Seen) -> bool | None:
    """Whether the id is the one that the database stands at; a word is what somebody typed."""
    wanted = seen.name("revision")
    if seen.site and seen.site.at:
        return wanted in seen.site.at
    return None if re.search(r"[\d_]", wanted) or len(wanted) > 8 else False


def _typed(seen: Seen) -> bool | None:
    at = _of_the_database(seen)
    return None if at is None else not at and not _ambiguous(seen)


def _ambiguous(seen: Seen) -> bool | None:
    """Whether two ids begin so."""
    wanted = seen.name("revision")
    if not seen.site or not seen.site.files:
        return None if len(wanted) < 12 else False
    return sum(each.revision.startswith(wanted) for each in seen.site.files) > 1


def _about_versions(seen: Seen) -> bool:
    """Whether the statement writes Alembic's table, or the text without one speaks of it."""
    told = seen.reading.statement or seen.reading.text
    return bool(re.search("alembic_version|version_num", told))


def _missing(seen: Seen) -> Iterable[str]:
    for file, down in seen.site.missing() if seen.site else ():
        yield f"{seen.site and seen.site.path(file.path)} comes after {down}, and no file has that id."


def _twice(seen: Seen) -> Iterable[str]:
    site = seen.site
    for revision in site.twice() if site else ():
        same = (
            [site.path(each.path) for each in site.files if each.revision == revision]
            if site
            else []
        )
        yield f"{revision} is the id of {' and of '.join(same)}."


ENTRIES = (
    Entry(
        id="C01",
        mistake=Mistake(
            "two heads",
            "Two revisions have none after them, mostly because two branches were merged, so head"
            " does not say which is meant.",
            'alembic merge heads -m "..." joins them; or change down_revision of the one that nobody'
            " has applied. alembic heads lists them.",
        ),
        lines=(
            "FAILED: Multiple head revisions are present for given argument 'head'; please specify a"
            " specific target revision",
            "FAILED: Multiple heads are present; please specify the head revision on which the new"
            " revision should be based, or perform a merge.",
        ),
        also=(
            "Multiple head revisions are present",
            "Multiple heads are present",
            "The script directory has multiple heads",
            "Only a single head is supported",
        ),
        prevent="A test in CI that there is one head.",
        chapter=9,
        commands=("upgrade", "revision"),
        look=_heads,
    ),
    Entry(
        id="C01b",
        mistake=Mistake(
            "one step down from a merge",
            "A merge stands on two revisions, and -1 does not say to which of them to go.",
            "Name the revision to go to: alembic downgrade with the id of one of them.",
        ),
        lines=("FAILED: Ambiguous walk",),
        prevent="Give downgrade an id where there are merges.",
        chapter=9,
        commands=("downgrade",),
    ),
    Entry(
        id="C02",
        mistake=Mistake(
            "a revision that no file has",
            "Alembic was led to an id, mostly by the database's own row, and no file in versions has it. Most often the file was deleted, is in another branch, or came with a newer copy of the program than this one; it can also be that two programs keep their ids in the same alembic_version table.",
            "Bring the file back: git log --all -- alembic/versions finds it; or run the program's newer version. Two programs in one database: version_table in context.configure of one of them. Only where the file is lost: put the schema right by hand, then alembic stamp --purge.",
        ),
        lines=(LOCATE,),
        also=("No such revision or branch '{revision}'", "No such revision or branch"),
        when=_of_the_database,
        prevent="Downgrade before you leave a branch or delete a file that was applied.",
        chapter=9,
        commands=("upgrade", "current", "downgrade", "check"),
        look=_nearby,
    ),
    Entry(
        id="C07b",
        mistake=Mistake(
            "a name that is no revision",
            "The command names a revision, and no file has it.",
            "alembic history lists the ids; head, base and steps such as -1 or +1 go, too.",
        ),
        lines=(LOCATE,),
        when=_typed,
        tell="Was the id typed? Then it is a slip: alembic history lists the ids.",
        prevent="Copy ids, do not type them.",
        chapter=5,
        commands=("upgrade", "downgrade", "stamp"),
        look=_nearby,
    ),
    Entry(
        id="C10",
        mistake=Mistake(
            "the beginning of two ids",
            "The beginning of an id is enough where one revision alone begins so; two do here. The"
            " message is the same as for an id that nobody has.",
            "Type more letters of the id.",
        ),
        lines=(LOCATE,),
        when=_ambiguous,
        tell="Was it the beginning of an id? Two revisions may begin so: type more of it.",
        prevent="Four letters and more.",
        chapter=5,
        commands=("upgrade", "downgrade"),
        look=_nearby,
    ),
    Entry(
        id="C03",
        mistake=Mistake(
            "a gap in the history",
            "A revision says that it comes after another one, and no file has that id: the file was deleted or is in another branch, or down_revision names something else than an id, such as a file's name.",
            "Bring the file back, or write into down_revision the id that the other file has in revision. If nobody has applied the missing one, let the next come after its parent.",
        ),
        lines=("KeyError: '{revision}'",),
        also=(
            "referenced from {first} -> {second} (head), {revision} is not present",
            "is not present",
            "Revision {revision} referenced from",
        ),
        when=lambda seen: (
            bool(
                re.search(
                    r"[Rr]evision\s+\S+\s+referenced\s+from|script.revision|_revision_map"
                    r"|KeyError:\s*'(?=[a-f]*\d)[0-9a-f]{10,}'",
                    seen.reading.text,
                )
            )
            or (seen.site is not None and bool(seen.site.missing()))
        ),
        prevent="alembic history in CI: it reads all files.",
        chapter=9,
        commands=("upgrade", "history"),
        look=_missing,
    ),
    Entry(
        id="C04",
        mistake=Mistake(
            "two files with one id",
            "A revision file was copied with its id. Alembic keeps one of the two and only warns.",
            "Give the copy an id of its own, and say in down_revision what it comes after.",
        ),
        lines=("UserWarning: Revision {revision} is present more than once",),
        prevent="alembic revision makes files; copies take their id along.",
        chapter=9,
        commands=("upgrade", "history"),
        look=_twice,
    ),
    Entry(
        id="C05",
        mistake=Mistake(
            "a history in a circle",
            "A revision comes, over others or at once, after itself. Nobody can say which is first.",
            "Put down_revision right in one of the files that the message names.",
        ),
        lines=(
            "FAILED: Cycle is detected in revisions (",
            "FAILED: Self-loop is detected in revisions (",
        ),
        also=("Dependency cycle is detected in revisions (", "Dependency self-loop is detected"),
        prevent="Edit down_revision with alembic history beside it.",
        chapter=9,
        commands=("history", "upgrade"),
    ),
    Entry(
        id="C06",
        mistake=shared("an id is a destination, not a victim", "5.2"),
        lines=(
            "FAILED: Destination {revision} is not a valid downgrade target from current head(s)",
        ),
        cure="downgrade goes back to the revision that it names and keeps it, so it has to be below the"
        " database's: alembic current tells where that is. To undo b2 itself: alembic downgrade b2-1.",
        account="A downgrade goes back to the revision that it names and keeps it; from where the database is, there is no way down to this one: it is above, on another branch, or the database's own.",
        prevent="Read a downgrade as: go to.",
        chapter=5,
        commands=("downgrade",),
    ),
    Entry(
        id="C07",
        mistake=Mistake(
            "a step too far",
            "There are fewer revisions in that direction than steps were asked for.",
            "alembic current says where the database is, alembic history what there is.",
        ),
        lines=("FAILED: Relative revision {step} didn't produce {number} migrations",),
        prevent="Name an id, or base and head.",
        chapter=5,
        commands=("downgrade", "upgrade"),
    ),
    Entry(
        id="C07c",
        mistake=Mistake(
            "a command without its target",
            "Alembic does not guess how far to go: upgrade, downgrade and stamp need a revision.",
            "alembic upgrade head, alembic downgrade -1.",
        ),
        lines=("error: the following arguments are required: revision",),
        also=("error: too few arguments",),
        prevent="Say where to.",
        chapter=5,
        commands=("downgrade", "upgrade"),
    ),
    Entry(
        id="C11",
        mistake=shared("an id without its change", "5.5"),
        lines=('(psycopg2.errors.UndefinedTable) relation "{table}" does not exist',),
        when=lambda seen: _stamped(seen),
        cure="alembic stamp base (or the revision that is really there), then alembic upgrade head.",
        tell="Was the database stamped? stamp writes the id and makes nothing.",
        account="alembic_version names a revision, and this database has none of the tables: it was stamped, or the revision was applied while its file was empty. Alembic compares ids and not contents.",
        prevent="stamp only what you have compared.",
        chapter=5,
    ),
    Entry(
        id="C12",
        mistake=Mistake(
            "an id that is too long",
            "alembic_version holds 32 characters, and this id has more. The migration itself has run"
            " and was rolled back with the row.",
            "A shorter id: the message of a revision may be as long as you like, and file_template"
            " names the file.",
        ),
        lines=(
            "(psycopg2.errors.StringDataRightTruncation) value too long for type character varying(32)",
        ),
        when=lambda seen: _about_versions(seen) or None,
        prevent="Leave ids to alembic revision.",
        chapter=9,
        commands=("upgrade", "stamp"),
        look=lambda seen: [
            f"{each.revision} has {len(each.revision)} characters."
            for each in (seen.site.files if seen.site else ())
            if len(each.revision) > 32
        ],
    ),
    Entry(
        id="C12b",
        mistake=Mistake(
            "a sign that an id may not have",
            "Some signs mean something to Alembic, : a range and @ a branch, + and - steps.",
            "Letters, digits and underscores.",
        ),
        lines=("FAILED: Character(s) '{sign}' not allowed in revision identifier",),
        prevent="Leave ids to alembic revision.",
        chapter=9,
        commands=("revision",),
    ),
    Entry(
        id="C17",
        mistake=Mistake(
            "a row for a revision and one for its ancestor",
            "Alembic was asked for two revisions of which one contains the other. Most often"
            " alembic_version has a row too many, after a stamp or an edit by hand.",
            "Look at the rows of alembic_version, and delete the one that the other comes after. Or name"
            " one revision alone.",
        ),
        lines=(
            "FAILED: Requested revision {revision} overlaps with other requested revisions {others}",
        ),
        prevent="Change alembic_version with alembic stamp, which clears what it replaces.",
        chapter=9,
        commands=("upgrade", "stamp"),
    ),
    Entry(
        id="C18",
        mistake=Mistake(
            "a revision put in the middle",
            "The revision that the new one is to come after has others after it, so a second head would"
            " come to be.",
            "Leave --head out, so that the new one comes after the head; --splice where a branch is meant.",
        ),
        lines=("FAILED: Revision {revision} is not a head revision; please specify --splice",),
        prevent="Let alembic revision choose the parent.",
        chapter=9,
        commands=("revision",),
    ),
    Entry(
        id="C19",
        mistake=Mistake(
            "alembic_version changed on the way",
            "Alembic wanted to replace its row, and the row was another one by then. Most often a second"
            " process migrates at the same time, or a migration has emptied or written the table itself;"
            " it can also be two programs that share one alembic_version.",
            "Let one process migrate. Two programs in one database: version_table in context.configure.",
        ),
        lines=(
            "FAILED: Online migration expected to match one row when updating '{old}' to '{new}' in"
            " '{table}'; {rows} found",
        ),
        also=("Online migration expected to match one row when",),
        prevent="A job of its own that migrates; a version_table for each program.",
        chapter=13,
    ),
    Entry(
        id="C20",
        mistake=Mistake(
            "no environment of Alembic's at this place",
            "script_location (or Flask-Migrate's directory) names a folder that is not there, or that has no env.py. Most often the command runs in another folder or the image has no copy; else alembic init, or flask db init, was never run.",
            "Go to the project's folder, or write script_location = %(here)s/alembic. Run init only where the project has no migrations yet.",
        ),
        lines=("FAILED: Path doesn't exist: {folder}",),
        also=(
            "Please use the 'init' command to create a new scripts folder",
            "Can't find Python file {file}env.py",
        ),
        prevent="%(here)s in script_location.",
        chapter=2,
        commands=("upgrade", "revision", "current"),
    ),
    Entry(
        id="C13",
        mistake=Mistake(
            "a revision put in below",
            "The database remembers one id. A revision that is put in under it counts as applied, and"
            " never runs there.",
            "Let the new revision come after the head. Where it was put in: run its SQL by hand there.",
        ),
        lines=("Running upgrade",),
        tell="Was a file put in under the database's revision? It counts as applied and never runs.",
        prevent="New revisions come after the head.",
        chapter=9,
        quiet=True,
    ),
    Entry(
        id="C14",
        mistake=Mistake(
            "two upgrades at the same time",
            "Two processes changed the same thing in the system's tables, and both began before the other"
            " was done. Most often two copies of an application migrate at their start.",
            "Run it again: one of the two has done the work. Then let one process migrate, or take an"
            " advisory lock in env.py first.",
        ),
        lines=(
            "(psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint"
            ' "pg_type_typname_nsp_index"',
        ),
        also=(
            'violates unique constraint "pg_class_relname_nsp_index"',
            "tuple concurrently updated",
        ),
        prevent="A job of its own that migrates, before the application's copies start.",
        chapter=13,
    ),
    Entry(
        id="C15",
        mistake=shared("an index that stays behind"),
        lines=('(psycopg2.errors.DuplicateTable) relation "{table}" already exists',),
        when=lambda seen: (
            None
            if index_is_made(seen) or not (seen.reading.statement or seen.reading.place)
            else False
        ),
        tell="Is it an index? Then a downgrade has left it.",
        cure="Drop the index by hand, once, and let downgrade() drop what upgrade() makes.",
        prevent="Take each revision up, down and up again.",
        chapter=5,
    ),
    Entry(
        id="C16",
        mistake=shared("a downgrade is not a backup", "5.1"),
        lines=("Running downgrade",),
        cure="The values are in a backup, or nowhere.",
        tell="The values of a dropped column or table do not come back with the next upgrade.",
        prevent="In production go on with a new revision; have a backup before you drop.",
        chapter=5,
        commands=("downgrade",),
        quiet=True,
    ),
)


def _stamped(seen: Seen) -> bool | None:
    """Whether the database says that it is somewhere and has no table."""
    if seen.name("table") == "alembic_version":
        return False
    if not seen.site or not seen.site.answers:
        return None
    return bool(seen.site.at) and not seen.site.tables
