"""Keep freed memory for the next batch, instead of giving it back to the system."""

import ctypes
import platform

# of glibc's malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def keep() -> None:
    """Let malloc reuse large blocks of memory (with glibc; elsewhere nothing changes).

    It would take blocks over 32 MB, as a batch's frames are, from the system each time and give
    them back at once; the system clears them anew, a page at a time.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
