"""`florence-nb serve`: the page, the slides and the lessons for a class, by one address."""
