"""The pages of this folder as a site: sphinx-build -W docs site."""

project = "emoword"
extensions = ["myst_parser"]
html_theme = "furo"
myst_heading_anchors = 3
# links to files of the repository, which are no pages of the site
suppress_warnings = ["myst.xref_missing"]
