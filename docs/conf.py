"""How the site is made: `uv run --group docs sphinx-build -W -b html -c docs . docs/_build`.

The source directory is the repository, so that READMEs are pages where they stand and their links are those of GitHub.
"""

import sys
from pathlib import Path

for _folder in ("docs/extensions", "examples"):
    sys.path.insert(0, str(Path(__file__).parents[1] / _folder))

project = "metarl"
root_doc = "docs/index"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "api_pages",
    "docstrings",
    "figures",
    "links",
    "mathml",
    "package_pages",
]
include_patterns = [
    "docs/**",
    "README.md",
    "CONTRIBUTING.md",
    "examples/results/**README.md",
    "packages/*/*.md",
    "packages/*/benchmarks/README.md",
]
exclude_patterns = [".*", "**/.*", "cache", "dist", "docs/_build", "runs"]

html_theme = "furo"
html_title = "Abstractions of states and tasks, in JAX"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
# What nobody looks at and every build would pay for: single functions in the contents of each page, and two indices.
toc_object_entries = False
html_use_index = False
html_domain_indices = False
html_additional_pages = {"index": "redirect.html"}
templates_path = ["templates"]

highlight_language = "text"  # of blocks that do not say theirs
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
default_role = "literal"  # single backticks in docstrings are code, as in Markdown
python_maximum_signature_line_length = 88
autodoc_member_order = "bysource"
autodoc_use_type_comments = False
