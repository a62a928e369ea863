"""The website of the lessons: `make site` writes it into site/."""
