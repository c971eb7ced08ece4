"""The one exception for what a user can mend, and how it is said."""

import re
from collections.abc import Iterator

END = re.compile(r'["\n]|: ')  # of a name in a text
LONG = re.compile(r"(\S{200})\S{200,}")  # of a word: more than any path that people type
MEMORY = re.compile("allocate memory|out of memory|failed to map segment")


class InputError(Exception):
    """Something in the user's files, settings or machine is wrong.

    The message is one line that names the file (and line), key or word, and says what to do.
    The command line prints it without a traceback and exits with status 1.
    """

    def __init__(self, message: str) -> None:
        super().__init__(LONG.sub(r"\1...", message))


def plain(text: str) -> str:
    r"""Text in one line, without what a terminal would act on: words of a stranger may hold it.

    >>> plain("a\x1b[2Jb\nc")
    'a?[2Jb?c'
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it came from: libraries raise their own after one of the system's."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def in_words(error: Exception) -> str:
    """What a user can mend of an error that a library raised; empty where it is our defect."""
    for own in chain(error):
        if isinstance(own, MemoryError) or MEMORY.search(str(own)):
            text = " ".join(str(own).split())[-120:]
            remedy = "free some, or choose smaller layers, batches or files"
            return f"not enough memory {text}; {remedy}"
    if isinstance(error, UnicodeEncodeError):
        around = error.object[: error.end], error.object[error.end :]
        name = END.split(around[0])[-1] + END.split(around[1])[0]
        return f"{name!a}: a name that is not UTF-8; rename it"
    return ""
