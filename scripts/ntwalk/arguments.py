"""arguments.py: words that a user typed; what is wrong with them is one line.

    it = Parser(prog='x', description=__doc__)
    it.add_argument('--jobs', type=whole)
    sys.exit(told('x', main))

A type of argparse's that raises ValueError is told as "invalid whole value".
"""
import argparse
import sys

from .boot import DEAD, USAGE
from .errors import Died, Usage


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Usage(message)


def whole(text):
    """A number from 1 on."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def duration(text):
    """Of seconds or hours."""
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError
    return value


def some_of(known):
    """The type of words between commas, each of them known."""
    def words(text):
        found = text.split(',')
        for word in found:
            if word not in known:
                raise argparse.ArgumentTypeError(
                    f'{word} is none of {", ".join(known)}')
        return found
    return words


def told(name, main):
    """Returns main()'s exit status, or that of its complaint."""
    try:
        return main()
    except (Usage, Died) as wrong:
        print(f'{name}: {wrong}', file=sys.stderr)
        return USAGE if isinstance(wrong, Usage) else DEAD
