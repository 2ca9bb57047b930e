"""Chapter 8: the machine, each chapter's checks, and the sum of its lines."""
import re
import zlib

from .text import chapter

CHECKS = re.compile(r'(\d) [\w ]{15} +(\d+) checks held')
SUM = re.compile(r'checksum ([0-9A-F]{8})\n$')


def checksum(text):
    """A code's text, or the same lines of the console."""
    found = SUM.search(text)
    assert int(found[1], 16) == zlib.crc32(text[:found.start()].encode())


def lines(console):
    """The chapter as its code has it: without the blanks before each line."""
    text = chapter(console, 'This machine').strip('\n').split('\n')[1:]
    assert all(line.startswith('   ') and len(line) < 80 for line in text)
    return ''.join(line[3:] + '\n' for line in text)


def check_chapters(text, console):
    found = CHECKS.findall(text)
    assert [int(number) for number, _ in found] == list(range(1, 9))
    assert f'The tour ends well: {sum(int(held) for _, held in found)} ' \
        'checks held.\n' in console


def check_names(text, console):
    """They are those of the boot log, where the kernel has read them."""
    names = re.search(r'^PC    (.*)\nBIOS  (.*)\n', console, re.M)
    machine, firmware = names.groups() if names else ('', '')
    first, second = text.split('\n')[1:3]
    assert first == (machine.strip() or 'a machine without a name')
    assert not firmware or second == firmware


def check(console):
    """Returns the text that the code must have."""
    text = lines(console)
    checksum(text)
    check_chapters(text, console)
    check_names(text, console)
    pages, processors = map(int, re.search(
        r'^   result  (\d+) pages of 4096 bytes, (\d+) processors', console,
        re.M).groups())
    assert f'\n{pages >> 8} MiB, {processors} processor' \
        f'{"s" * (processors > 1)}, ' in text
    return text
