"""The command line inside the environment. Each command imports what it needs, when it needs it."""

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbook import ROOT, WorkbookError, home


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status. Raises WorkbookError."""
    argv, jupyter = split(argv)
    if argv == ["_guard"]:
        from workbook.launch import lab

        return lab.guard()
    if argv[:1] == ["test"] and not {"-h", "--help"} & set(argv):
        return test(argv[1:] + jupyter)
    if argv[:1] == ["room"]:
        return room(argv[1:])
    arguments = parser().parse_args(argv)
    arguments.jupyter = jupyter
    return arguments.run(arguments) or 0


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Ours before `--`, JupyterLab's after it."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def parser() -> argparse.ArgumentParser:
    """All commands; what is parsed has the command's function as `run`."""
    top = argparse.ArgumentParser(
        prog="python3 -m workbook",
        description="Learn database migrations: sets up what is missing, starts PostgreSQL and"
        " opens JupyterLab on the first notebook.",
        epilog="What follows -- is handed to jupyter lab: python3 -m workbook -- --no-browser",
    )
    top.set_defaults(run=launch)
    commands = top.add_subparsers(metavar="command")
    for run, options in COMMANDS.items():
        words = (run.__doc__ or "").partition("\n")[0]
        short = words[0].lower() + words[1:].rstrip(".")
        command = commands.add_parser(run.__name__, help=short, description=words)
        command.set_defaults(run=run)
        for option, ways in options.items():
            command.add_argument(option, **ways)
    return top


# The commands: the first line of each is what --help says of it.


def launch(arguments: argparse.Namespace) -> int:
    from workbook.launch import lab

    return lab.launch(arguments.jupyter)


def doctor(arguments: argparse.Namespace) -> int:
    """Say whether everything is ready, a line for each check."""
    from workbook.launch.doctor import doctor

    return doctor()


def reset(arguments: argparse.Namespace) -> None:
    """Put your work aside and begin again."""
    from workbook import starts

    if arguments.chapter is None:
        starts.reset()
    else:
        starts.start(arguments.chapter, fresh=True)


def restore(arguments: argparse.Namespace) -> None:
    """Bring back work that was put aside."""
    from workbook import aside

    aside.restore(arguments.name)


def lesson(arguments: argparse.Namespace) -> None:
    """Lay a lesson anew; the one that you worked in stays beside it."""
    from workbook import desk

    desk.fresh_lesson(arguments.chapter)


def review(arguments: argparse.Namespace) -> int:
    """Try a project's revisions on a scratch database: locks, waits, rewrites, the way back."""
    from workbook.reviewing import report, review_project

    try:
        sql = arguments.fill.read_text(encoding="utf-8") if arguments.fill else ""
        found = review_project(
            arguments.scratch,
            arguments.revision,
            arguments.config,
            arguments.rows,
            sql,
            arguments.models,
        )
    except (WorkbookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    write = report.markdown if arguments.markdown else report.text
    print("\n\n".join(map(write, found)))
    return 1 if any(map(report.objections, found)) else 0


def why(arguments: argparse.Namespace) -> None:
    """Explain an error: its text on standard input, or what stands in a project of your own."""
    from workbook import explaining

    piped = not sys.stdin.isatty()
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if piped else ""
    print(explaining.from_terminal(text, arguments.project))


def stop(arguments: argparse.Namespace) -> None:
    """Stop the embedded PostgreSQL; the data stay."""
    from workbook.server import postgres

    print("Stopped." if postgres.stop(home() / ".postgres") else "It was not running.")


def present(arguments: argparse.Namespace) -> int:
    """Show the lessons on a stage, as slides with live cells."""
    from workbook.author import stage

    if arguments.list:
        print(stage.table(arguments.chapter, arguments.path))
        return 0
    if arguments.resume:
        first = stage.resume(arguments.chapter)
    else:
        first = (stage.handout if arguments.handout else stage.prepare)(
            arguments.chapter, arguments.path
        )
    ours, environment = stage.jupyter(first, arguments.dark)
    os.environ.update(environment)
    arguments.jupyter = ours + arguments.jupyter
    return launch(arguments)


def rehearse(arguments: argparse.Namespace) -> int:
    """Run a talk from start to end without a browser, and time it."""
    from workbook.author import stage

    return stage.rehearse(arguments.chapter, arguments.path)


def edit(arguments: argparse.Namespace) -> int:
    """For authors: open the lessons themselves, not the copies on the desk."""
    ours = [f"--ServerApp.root_dir={ROOT}", "--LabApp.default_url=/lab/tree/notebooks"]
    arguments.jupyter = ours + arguments.jupyter
    return launch(arguments)


def refresh(arguments: argparse.Namespace) -> int:
    """For authors: run all notebooks, save outputs."""
    from workbook.author import notebooks

    return notebooks.refresh(arguments.notebook)


def exercise(arguments: argparse.Namespace) -> int:
    """For authors: hold exercises to their contract, and write their cells into the lessons."""
    from workbook.author import contract

    return contract.hold(arguments.id)


def site(arguments: argparse.Namespace) -> None:
    """For authors: build site/, the lessons to read and to run in a browser."""
    need("sphinx", "The site needs")
    from workbook.author import site

    site.build()


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure the speed that the project promises."""
    from workbook.author import benchmark

    benchmark.main()


def test(arguments: list[str]) -> int:
    """Run every test; arguments are handed to pytest."""
    need("schemathesis", "The tests need")
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)


def need(package: str, who: str) -> None:
    """Raises WorkbookError in an environment of somebody else's that has only what learners need."""
    if not importlib.util.find_spec(package):
        raise WorkbookError(f"{who} more packages: pip install -r requirements-test.lock")


def room(argv: list[str]) -> int:
    """For teachers: prepare, start and watch a room of learners."""
    sys.path.append(str(ROOT))  # at the end: nothing there may stand before a package
    from classroom import room as commands

    parser = argparse.ArgumentParser(
        prog="python3 -m workbook room",
        description="For teachers: one JupyterHub and one PostgreSQL for a room of learners."
        " docs/teaching.md says what to do when.",
    )
    commands.add_arguments(parser)
    return commands.main(parser.parse_args(argv))


CHAPTER: dict[str, Any] = {"nargs": "?", "type": int, "help": "begin at this chapter"}
STAGE: dict[str, dict[str, Any]] = {
    "chapter": CHAPTER,
    "--path": {
        "choices": ("short", "long", "20", "60", "30-2", "60-2", "30-3", "60-3"),
        "default": "short",
        "help": "the core of each chapter (short, the default), every slide (long), Part I in 20"
        " or 60 minutes, or another part in 30 or 60 (30-2, 60-2, 30-3, 60-3)",
    },
}
SHOW: dict[str, dict[str, Any]] = {
    "--resume": {"action": "store_true", "help": "go on with the latest talk, where it was"},
    "--dark": {"action": "store_true", "help": "light type on a dark screen"},
    "--handout": {"action": "store_true", "help": "one notebook with outputs: `p` prints it"},
    "--list": {"action": "store_true", "help": "print the slides and stop"},
}
REVIEW: dict[str, dict[str, Any]] = {
    "revision": {"nargs": "?", "default": "head", "help": "an id, head, or a range as a1:b2"},
    "--scratch": {
        "required": True,
        "metavar": "URL",
        "help": "an empty PostgreSQL database whose name says scratch; what is in it goes",
    },
    "--config": {"default": "alembic.ini", "help": "the project's alembic.ini"},
    "--rows": {"type": int, "default": 1000, "help": "how many rows in each table (1000)"},
    "--fill": {"type": Path, "metavar": "SQL", "help": "a file that makes the rows instead"},
    "--models": {
        "default": "",
        "metavar": "MODULE:METADATA",
        "help": "models whose naming convention counts, such as app.models:Base.metadata",
    },
    "--markdown": {"action": "store_true", "help": "for a pull request"},
}
# The functions, in --help's order, with their arguments as argparse wants them.
COMMANDS: dict[Callable[[Any], int | None], dict[str, dict[str, Any]]] = {
    test: {},
    doctor: {},
    reset: {"chapter": CHAPTER | {"help": "begin at this chapter, not at nothing"}},
    restore: {"name": {"nargs": "?", "help": "which; without it, list what there is"}},
    lesson: {"chapter": CHAPTER | {"help": "which; without it, list the earlier copies"}},
    review: REVIEW,
    why: {"project": {"nargs": "?", "type": Path, "help": "the folder with its alembic.ini"}},
    stop: {},
    present: STAGE | SHOW,
    rehearse: STAGE,
    edit: {},
    refresh: {"notebook": {"nargs": "*", "type": Path, "help": "only these"}},
    exercise: {"id": {"nargs": "*", "help": "only these, such as 2.3; without it, all of them"}},
    room: {},
    site: {},
    benchmark: {},
}
