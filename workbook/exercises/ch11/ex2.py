"""11.2  Try again, where a lock was not to be had."""

from collections.abc import Callable

from psycopg2.errors import LockNotAvailable, QueryCanceled
from sqlalchemy.exc import OperationalError

from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Models
from workbook.exercises.trial import Trial

Patiently = Callable[[Callable[[], str], Callable[[float], None]], str]


def played(patiently: Patiently, story: str) -> tuple[str, int, list[float]]:
    """What comes out, the number of calls and the pauses, where the calls go as the story says.

    L: a lock that was not to be had; Q: another error of the database; V: one of Python's.
    """
    calls = 0
    pauses: list[float] = []

    def upgrade() -> str:
        nonlocal calls
        calls += 1
        sign = story[calls - 1 : calls]
        if sign in ("L", "Q"):
            error = LockNotAvailable("lock") if sign == "L" else QueryCanceled("query")
            raise OperationalError("ALTER TABLE", {}, error)
        if sign == "V":
            raise ValueError
        return "done" if sign else "too many calls"

    try:
        said = patiently(upgrade, pauses.append)
    except OperationalError as error:
        said = type(error.orig).__name__
    except ValueError:
        said = "ValueError"
    return said, calls, pauses


def called(patiently: Patiently, story: str) -> tuple[str, int]:
    return played(patiently, story)[:2]


def pauses(trial: Trial) -> tuple[str, str]:
    """How many pauses five attempts had, and whether each was longer than the last."""
    count, _, grow = trial.run.probe.get(PAUSES, "").strip("()").partition(", ")
    return count, grow


def longer(patiently: Patiently) -> tuple[int, bool]:
    """How many pauses five attempts have, and whether each is longer than the last."""
    pauses = played(patiently, "LLLLL")[2]
    return len(pauses), pauses == sorted({*pauses})


def probe(name: str, *arguments: str) -> str:
    """An expression that asks one of these about the learner's function."""
    module = "__import__('workbook.exercises.ch11.ex2', fromlist=['x'])"
    return f"{module}.{name}({', '.join(['patiently', *map(repr, arguments)])})"


FIRST = "a first attempt that goes through is the only one, and its result comes back"
THIRD = "after two that got no lock, the third goes through"
FIFTH = "the fifth goes through, after four that got no lock"
NEVER = "when no attempt gets a lock, the fifth error goes on to the caller"
OTHER = "another error of the database is not tried again"
PYTHON = "an error of Python's is not tried again"
PAUSES = "between five attempts there are four pauses, each longer than the last"


def told(*words: str) -> Callable[[Trial], object]:
    """Whether these probes came out otherwise than the reference's, and the first attempt's did not."""

    def shown(trial: Trial) -> bool:
        said, want = trial.run.probe, trial.wanted.probe
        return bool(said) and all(said.get(each) != want[each] for each in words)

    return shown


CODE = """
from psycopg2.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError


def patiently(upgrade, pause):
    «for attempt in range(5):
        try:
            return upgrade()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable) or attempt == 4:
                raise
        pause(0.2 * 2**attempt)»
"""

EXERCISE = Models(
    file="patiently.py",
    code=CODE,
    probes={
        FIRST: probe("called", "."),
        THIRD: probe("called", "LL."),
        FIFTH: probe("called", "LLLL."),
        NEVER: probe("called", "LLLLLLL"),
        OTHER: probe("called", "Q."),
        PYTHON: probe("called", "V."),
        PAUSES: probe("longer"),
    },
    mistakes=(
        Mistake(
            "an attempt that goes through is the last one",
            "There is nothing left to do then, and what upgrade() gives is for the caller.",
            "How does a function hand on what another one gives?",
            told(FIRST),
        ),
        Mistake(
            "every error is tried again",
            "A slip in the migration fails the same way five times. Only a lock that is not to be had is"
            " another matter a moment later.",
            "Catch as little as you can, and look at what you have caught.",
            told(OTHER, PYTHON),
        ),
        Mistake(
            "an OperationalError is many things",
            "A statement that ran for too long is one, and so is a server that has gone. They tell themselves"
            " apart in orig.",
            "Ask which kind the error's orig is, before you try again.",
            told(OTHER),
        ),
        Mistake(
            "the error is lost",
            "After the last attempt the caller has to know that nothing was migrated: without an error, the"
            " deployment goes on.",
            "Let the last error pass: raise without anything after it.",
            lambda t: t.run.probe.get(NEVER, "").startswith("(None"),
        ),
        Mistake(
            "a lock's error that is not recognised",
            "Five attempts found no lock, and yours ended with the first. What arrives is SQLAlchemy's"
            " OperationalError; the LockNotAvailable of psycopg2 is its orig, and an object of that class.",
            "Look at what you catch, and at what you compare with what.",
            lambda t: t.run.probe.get(NEVER, "").startswith("('LockNotAvailable', 1"),
        ),
        Mistake(
            "another number of attempts",
            "The task says five: the first one, and at most four more.",
            "Count the calls where none of them gets its lock.",
            lambda t: told(FIFTH)(t) or told(NEVER)(t),
        ),
        Mistake(
            "no pause between two attempts",
            "With none, all five are over before a report is. pause() is handed to you, and nobody called it.",
            "pause() takes the seconds. Where does the next attempt begin?",
            lambda t: pauses(t)[0] == "0",
        ),
        Mistake(
            "a pause that nobody needs",
            "It lies between two attempts: before the first there is nothing to wait for, and after the"
            " last there is none to come.",
            "Between five attempts it is called four times.",
            lambda t: (
                told(PAUSES)(t) and pauses(t)[0] > "4" and f"It was called {pauses(t)[0]} times."
            ),
        ),
        Mistake(
            "pauses that do not grow",
            "A report that takes a minute costs people a dent for each attempt: come again later and later.",
            "pause() takes the seconds: more of them each time.",
            told(PAUSES),
        ),
    ),
    task="try again where a lock was not to be had",
    hints=(
        "A loop of five, in it a try: return upgrade() leaves the function when it goes through.",
        "except OperationalError as error: then isinstance(error.orig, ...) says which kind it is.",
        "raise alone hands on the error that was caught: for another kind, and after the fifth attempt.",
    ),
    why="A lock that is not to be had now may be there in a second; nothing else that fails becomes better by"
    " trying again. The pauses grow, so that a long report does not cost people more and more dents.",
    passed="Your deployments come again by themselves, and only when that makes sense.",
)

BODY = EXERCISE.filled
TEST = "if not isinstance(error.orig, LockNotAvailable) or attempt == 4:"
EXCEPT = "except OperationalError as error:"
WRONG = edits(
    BODY,
    rf"""
no second attempt  | for attempt in range(5):  | for attempt in range(1):  | the error is lost
three attempts  | range(5)  | range(3)  | attempt == 4  | attempt == 2  | another number of attempts
six attempts  | range(5)  | range(6)  | attempt == 4  | attempt == 5  | another number of attempts
every database error  | {TEST}  | if attempt == 4:  | an OperationalError is many things
every error  | {EXCEPT}  | except Exception as error:  | {TEST}  | if attempt == 4:  | every error is tried again
the last error lost  | {TEST}  | if not isinstance(error.orig, LockNotAvailable):  | the error is lost
pauses of the same length  | 0.2 * 2**attempt  | 0.2  | pauses that do not grow
no pause  | pause(0.2 * 2**attempt)  | pass  | no pause between two attempts
a pause before the first  | try:  | pause(attempt + 1)\n        try:  | \n        pause(0.2 * 2**attempt)  |  | a pause that nobody needs
pauses that get shorter  | 0.2 * 2**attempt  | 1 / (attempt + 1)  | pauses that do not grow
the result is lost  | return upgrade()  | upgrade()\n            return  | an attempt that goes through is the last one
the function itself  | return upgrade()  | return upgrade  | an attempt that goes through is the last one
it goes on after success  | return upgrade()  | upgrade()  | an attempt that goes through is the last one
the kind of the wrapper  | error.orig  | error  | a lock's error that is not recognised
the wrong exception is caught  | except OperationalError  | except LockNotAvailable  | a lock's error that is not recognised
another name  | patiently(  | patient(  | name 'patiently' is not defined
one argument  | (upgrade, pause)  | (upgrade)  | takes 1 positional argument
nothing filled in  | pause(0.2  | pause(____  | Not attempted yet
""",
)
RIGHT = edits(
    BODY,
    rf"""
the sums the other way round  | 0.2 * 2**attempt  | 0.5 + attempt
caught and looked at  | {TEST}  | retry = isinstance(error.orig, LockNotAvailable) and attempt < 4\n            if not retry:
by its code  | isinstance(error.orig, LockNotAvailable)  | error.orig.__class__.__name__ == "LockNotAvailable"
a fifth call after four  | for attempt in range(5):  | for attempt in range(4):  | or attempt == 4:  | :  | pause(0.2 * 2**attempt)  | pause(0.2 * 2**attempt)\n    return upgrade()
""",
)
