"""What the exercises on the init revision share."""

import ast

from workbook.exercises import Answer, cells

CELL = "%%writerevision alembic/versions/*_init.py\n"
EMPTY = CELL + "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"
BY_HAND = """
from pathlib import Path

[path] = Path("alembic/versions").glob("*_init.py")
text = path.read_text()
"""


def statements(source: str, function: str) -> list[str]:
    """What a function does, statement by statement, without its docstring and `pass`.

    What Python cannot read counts as a statement: somebody has written something.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return [source]
    return [
        ast.unparse(each)
        for found in ast.walk(tree)
        if isinstance(found, ast.FunctionDef) and found.name == function
        for each in found.body
        if not isinstance(each, ast.Pass) and not ast.unparse(each).startswith(("'", '"'))
    ]


def upgrade(name: str, *lines: str, says: str = "") -> Answer:
    """An upgrade() of these lines."""
    body = "".join(f"    {line}\n" for line in lines)
    return cells(name, f"{CELL}def upgrade():\n{body}", says=says)
