"""A real JupyterLab in a real browser: what a reader touches is touched here."""
