"""The well-known mistakes that more than one exercise meets, by what they show in.

Each was made on the versions in the lock and seen to give what it is recognised by. None gives the
answer away.
"""

from workbook.exercises.mistakes.migrations import MIGRATION
from workbook.exercises.mistakes.models import MODEL

__all__ = ["MIGRATION", "MODEL"]
