"""How the scripts speak to people: lines on standard output, problems on standard error; a closed pipe is no error.

May be called from any thread. `python script.py | head` ends quietly: once nobody reads standard output, what is
written there goes nowhere.
"""

from __future__ import annotations

import os
import sys
import time


def say(text: str) -> None:
    """Print a line with the time of day on standard output."""
    put(f"{time.strftime('%H:%M:%S')} {text}")


def tell(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)


def put(text: str) -> bool:
    """Print a line on standard output at once; return whether somebody may still read it."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python writes what is left once more when it ends, and would then complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
