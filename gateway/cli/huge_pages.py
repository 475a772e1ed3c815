"""The heap of a started worker in pages of 2 MiB instead of 4 KiB (Linux 6.1 or later).

A call touches so much memory that the processor has forgotten most of the addresses of its pages when the
next one comes, and looks them up again: on a virtual machine in two tables.
"""

import ctypes
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

MADV_COLLAPSE: Final = 25
HUGE_PAGE: Final = 2 << 20
MAPS: Final = Path("/proc/self/maps")
# Addresses, permissions, offset, device, inode 0, and no name but that of the heap (proc(5)).
_ANONYMOUS: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(?:\[heap\])?")


def collapse_heap() -> int:
    """Move the heap to huge pages, whatever of it fills one; the number of pages that were made.

    None where the kernel does not know how. What is allocated later lies as before.
    """
    with suppress(OSError):
        return sum(map(_collapse, huge_pages_in(MAPS.read_text().splitlines())))
    return 0


def huge_pages_in(maps: Iterable[str]) -> Iterator[int]:
    """Addresses of the huge pages that fit in the anonymous memory of /proc/self/maps."""
    for line in maps:
        if (found := _ANONYMOUS.fullmatch(line)) is not None:
            start, end = (int(each, 16) for each in found.groups())
            yield from range(-(-start // HUGE_PAGE) * HUGE_PAGE, end - HUGE_PAGE + 1, HUGE_PAGE)


def _collapse(address: int) -> bool:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return bool(madvise(address, HUGE_PAGE, MADV_COLLAPSE) == 0)
