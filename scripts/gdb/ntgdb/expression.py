"""expression.py: what a user types for an address or a number."""
import re

import gdb

from . import modules
from .command import Command, Wrong

HEX = re.compile(r'(0x)?([0-9a-fA-F]+)h?$')
TERM = r'[@$]?[\w.]+(?:![\w.]+)?'
SUM = re.compile(f'{TERM}(?:[-+]{TERM})*')
MASK = 0xFFFFFFFFFFFFFFFF


def is_number(word):
    """It is one by WinDbg's rules, whatever else has that name."""
    return bool(HEX.fullmatch(word.replace('`', '')) or
                re.fullmatch('0n[0-9]+', word))


def index(word):
    """Returns the decimal number in brackets, of which the first is gone."""
    if not re.fullmatch(r'[0-9]+\]', word):
        raise Wrong(f'[{word}: an index is a decimal number')
    return int(word[:-1])


def value(word):
    """Returns a number: WinDbg's spellings first, then gdb's expressions.

    1234, 0x1234, 1234h and fffff800`00001234 are hexadecimal, 0n10 decimal;
    module!symbol, symbol, @rsp or $rsp, sums of these, or an expression.
    """
    plain = word.replace('`', '')
    if SUM.fullmatch(plain):
        total, sign = 0, 1
        for part in re.split('([-+])', plain):
            if part in ('-', '+'):
                sign = 1 if part == '+' else -1
            else:
                total += sign * term(part)
        return total & MASK
    return evaluated(word, plain)


def term(word):
    """Returns one part of a sum."""
    if found := re.fullmatch(r'0n([0-9]+)', word):
        return int(found[1])
    if found := HEX.fullmatch(word):
        return int(found[2], 16) & MASK
    if found := re.fullmatch(r'([A-Za-z_]\w*)!([\w.]+)', word):
        return modules.address_of(found[1], found[2])
    if re.fullmatch(r'[A-Za-z_][\w.]*', word):
        address = modules.find(word)
        if address is not None:
            return address
    return evaluated(word, word)


def evaluated(word, expression):
    """Returns what gdb makes of it."""
    try:
        result = gdb.parse_and_eval(re.sub(r'@(\w)', r'$\1', expression))
        return int(result.cast(gdb.lookup_type('unsigned long long'))) & MASK
    except gdb.error as error:
        if str(error) == 'Invalid cast.':
            raise Wrong(f'{word} is no number') from None
        raise Wrong(f'{word}: {error}') from None


class AboutAddress(Command):
    """A command whose first word is an address: names can be completed."""

    def choices(self, words):
        return [] if words else modules.names_from(self.begun)
