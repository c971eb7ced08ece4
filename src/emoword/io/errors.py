"""The one exception for what a user can mend, and how it is said."""


class InputError(Exception):
    """Something in the user's files, settings or machine is wrong.

    The message is one line that names the file (and line), key or word, and says what to do.
    The command line prints it without a traceback and exits with status 1.
    """


def plain(text: str) -> str:
    r"""Text in one line, without what a terminal would act on: words of a stranger may hold it.

    >>> plain("a\x1b[2Jb\nc")
    'a?[2Jb?c'
    """
    return "".join(c if c.isprintable() else "?" for c in text)
