"""Settings of Sphinx for the website; `make site` gathers the pages and calls it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from florence_site.repository import address  # noqa: E402

import florence_nb  # noqa: E402

project = "florence-nb"
author = "florence-nb contributors"
version = release = florence_nb.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.githubpages", "florence_site.elsewhere"]
nb_execution_mode = "off"  # the stored outputs are those that the tests compare
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "html_image"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # the terms of the glossary are third-level headings below the title

html_theme = "furo"
html_title = "florence-nb"
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
html_favicon = html_logo = "static/mark.svg"
html_copy_source = False
html_show_copyright = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "try.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}

# The colours of mini's page: florence_nb/page/web/page.css.
LIGHT = {
    "color-brand-primary": "#005f96",
    "color-brand-content": "#0072b2",
    "color-foreground-primary": "#1c2430",
    "color-foreground-secondary": "#4d5766",
    "color-background-primary": "#fdfdfb",
    "color-background-secondary": "#f5f7f8",
    "color-background-border": "#d8dde3",
    "color-card-background": "#ffffff",
    "font-stack": 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
}
DARK = {
    "color-brand-primary": "#7cc4f0",
    "color-brand-content": "#7cc4f0",
    "color-foreground-primary": "#eef1f4",
    "color-foreground-secondary": "#a3adb9",
    "color-background-primary": "#14181e",
    "color-background-secondary": "#1a2028",
    "color-background-border": "#38414c",
    "color-card-background": "#1a2028",
}
html_theme_options = {
    "light_css_variables": LIGHT,
    "dark_css_variables": DARK,
    "top_of_page_buttons": [],
    "footer_icons": [
        {"name": "The repository", "url": address().url, "html": address().repository, "class": ""}
    ]
    if address().repository
    else [],
}
