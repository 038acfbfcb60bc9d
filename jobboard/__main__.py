"""`python -m jobboard`: the API on this machine's port 8000, in the database of the root's alembic.

What follows goes to uvicorn: `python -m jobboard --port 8001`.
"""

import sys

import uvicorn

from jobboard.database import find_server

if __name__ == "__main__":
    try:
        find_server()
    except ConnectionError as error:
        sys.exit(str(error))
    uvicorn.main(["jobboard.main:app", *sys.argv[1:]], prog_name="python -m jobboard")
