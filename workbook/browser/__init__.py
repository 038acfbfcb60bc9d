"""What runs in a browser tab: a kernel's start, PGlite in place of a server, psycopg2 in Python.

`workbook/author/lite.py` puts it together with JupyterLite and Pyodide.
"""
