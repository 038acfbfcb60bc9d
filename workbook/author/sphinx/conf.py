"""Sphinx's settings for the pages; workbook/author/pages.py runs it."""

from pathlib import Path

project = html_title = "Learn database migrations"
language = "en"
extensions = ["myst_nb", "workbook.author.pages"]
suppress_warnings = ["myst.xref_missing"]  # anchors in HTML, which the tests look at
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
html_theme = "furo"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
templates_path = ["templates"]
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["pages.css"]
html_js_files = ["pages.js"]
html_search_scorer = str(Path(__file__).parent / "score.js")
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_use_index = False
