"""The errors a user can cause. Each is one sentence: what was found, what was expected, what would work."""


class InputError(ValueError):
    """Bad input: a file, a folder, a parameter or a name that cannot be used as it is.

    The doors (the command line and the DVC stages) print its sentence without a traceback and exit with code 2.
    """


class TrainingDiverged(InputError):
    """The training loss is not finite; the message names every term and the last good checkpoint."""
