"""The one exception for what a user can mend."""


class InputError(Exception):
    """Something in the user's files, settings or machine is wrong.

    The message is one line that names the file (and line), key or word, and says what to do.
    The command line prints it without a traceback and exits with status 1.
    """
