"""Every exercise of the course, with right and wrong answers as learners give them."""
