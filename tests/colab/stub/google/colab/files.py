from ._record import record


def upload():
    """Nobody is there to choose a file: as if the learner had closed the dialog."""
    record("files.upload")
    return {}


def download(name):
    record("files.download", name)
