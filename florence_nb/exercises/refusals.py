"""What a check raises at an answer that is not right, or not judged: one sentence for the learner."""


class NotYet(Exception):
    """A value that is not right: one sentence for the learner that says what is off."""


class WrongForm(NotYet):
    """A value of another kind than was asked for."""


class MayBeTheModel(NotYet):
    """A value of the right kind that does not fit the picture. With mini that is the learner's mistake; a
    real checkpoint may see or name things in another way, so there only the form is judged.
    """


class ToDo(NotYet):
    """A value that is not finished."""
