"""paging.py: nt pte, vtop: the page tables, by the self map and by memory.

Mm sees its tables through the self map; the processor walks them in memory.
nt pte reads both ways, which must agree.
"""
from . import expression, headers, kernel, machine
from .command import Wrong, say

LEVELS = ('PTE', 'PDE', 'PPE', 'PXE')   # by kernel.Entry.level
VTOP_LEVELS = ('PTE', 'PDE', 'PDPE', 'PML4E')
COLUMN = 27

PROTOTYPE, TRANSITION = 1 << 10, 1 << 11        # of an entry without Valid
PROTECTION_AT = 5
ADDRESS_AT = 16                                 # of what a prototype names
SLOT_AT = 32                                    # in the page file
# Bits of a valid entry, as !pte orders its letters. W is Mm's bit, 11, or the
# processor's, 1.
LETTERS = ((9, 'C-'), (8, 'G-'), (7, 'L-'), (6, 'D-'), (5, 'A-'), (4, 'N-'),
           (3, 'T-'), (2, 'UK'), (11, 'WR'))
WRITABLE, NO_EXECUTE, LOCKED = 1 << 1, 1 << 63, 1 << 52


def canonical(address):
    address &= (1 << 48) - 1
    return address | 0xFFFF << 48 if address >> 47 else address


def is_canonical(address):
    return canonical(address) == address


def canonical_value(word):
    address = expression.value(word)
    if not is_canonical(address):
        raise Wrong(f'{address:x} is no address: bits 47 to 63 differ')
    return address


# ---- the self map


def slot():
    """Returns the slot of the top table that is the self map, or None."""
    base = kernel.number(kernel.variable('MmPteBase'))
    return base >> 39 & 511 if base else None


def seen_at(level, virtual):
    """Returns where the self map shows an entry for an address."""
    own = slot()
    prefix = 0
    for _ in range(level + 1):
        prefix = prefix << 9 | own
    index = (virtual & (1 << 48) - 1) >> 12 + 9 * level
    return canonical(prefix << 9 * (4 - level) + 3 | index * 8)


# ---- words


def protection(entry):
    """Returns NT's five-bit protection of any entry but zero."""
    if not entry & 1:
        return entry >> PROTECTION_AT & 31
    base = entry >> 60 & 7 or 1
    if entry & 0x10:
        return base | 8
    return base | 0x18 if entry & 8 else base


def protection_name(mask):
    known = headers.constants(headers.PROTECTIONS)
    if mask == known['MM_NOACCESS']:
        return 'NoAccess'
    words = {known[f'MM_{word}']: name for word, name in (
        ('READONLY', 'ReadOnly'), ('EXECUTE', 'Execute'),
        ('EXECUTE_READ', 'ExecuteRead'), ('READWRITE', 'ReadWrite'),
        ('WRITECOPY', 'WriteCopy'),
        ('EXECUTE_READWRITE', 'ExecuteReadWrite'),
        ('EXECUTE_WRITECOPY', 'ExecuteWriteCopy'))}
    more = {known['MM_NOCACHE']: ' NoCache', known['MM_GUARD_PAGE']: ' Guard',
            known['MM_WRITECOMBINE']: ' WriteCombine'}
    return words.get(mask & 7, '?') + more.get(mask & 0x18, '')


def letters(entry):
    """Returns a valid entry's bits as WinDbg's letters."""
    written = entry | (entry & WRITABLE) << 10
    text = ''.join(names[not written >> bit & 1] for bit, names in LETTERS)
    return text + ('-' if entry & NO_EXECUTE else 'E') + 'V'


def frame(entry):
    return (entry & kernel.PAGE_FRAME) >> 12


def protect_words(entry):
    mask = protection(entry)
    return f'Protect: {mask:x} - {protection_name(mask)}'


def software(entry, followed=False):
    """Returns the lines that tell what an entry without Valid means.

    followed: it is a section's own, so a prototype names its subsection.
    """
    if not entry:
        return ['zero: nothing is there, at most a reserved address']
    words = protect_words(entry)
    if entry & PROTOTYPE:
        return prototype(entry, words, followed)
    if entry & TRANSITION:
        return [f'Transition: the page is still there, pfn '
                f'{frame(entry):x}', words]
    if entry >> SLOT_AT:
        return [f'PageFile: slot {entry >> SLOT_AT:x}', words]
    return ['Demand zero: nobody has touched it yet', words]


def prototype(entry, words, followed):
    address = canonical(entry >> ADDRESS_AT)
    if followed:
        return [f'Subsection: {address:016X}, the page is in a file', words]
    value = machine.quad(address)
    lines = [f'Proto: {address:016X}, the section\'s own entry', words,
             f'   contains {value:016X}']
    if value & 1:
        return [*lines, f'   valid, pfn {frame(value):x}']
    return lines + ['   ' + line for line in software(value, True)]


def hardware(entry):
    """Returns the line about a valid last entry."""
    words = ['user' if entry & 4 else 'kernel',
             'writable' if entry & 2 else
             'writable, not written yet' if entry & 0x800 else 'read-only',
             'no-execute' if entry & NO_EXECUTE else 'executable',
             'written' if entry & 0x40 else 'clean']
    for bit, word in ((0x200, 'copy-on-write'), (0x100, 'global'),
                      (0x10, 'not cached'), (LOCKED, 'locked')):
        if entry & bit:
            words.append(word)
    if entry & 4:
        words.append(protect_words(entry))
    return ', '.join(words)


# ---- nt pte


def row(cells):
    return ''.join(f'{cell:<{COLUMN}}' for cell in cells).rstrip()


def differences(virtual, entries):
    """Yields what the self map shows otherwise than memory has it."""
    for entry in entries:
        where = seen_at(entry.level, virtual)
        value = machine.quad(where)
        if value != entry.value:
            yield (f'DIFFERENT by the self map: {LEVELS[entry.level]} at '
                   f'{where:016X} contains {value:016X}')


class Pte(expression.AboutAddress):
    name = 'pte'
    windbg = '!pte'
    usage = 'ADDRESS'
    summary = 'the page-table entries for an address, and what they mean'
    help = ('First where the self map shows the entries, then what they '
            'contain; then where\nthey are in memory, found from cr3 as the '
            'processor does. The letters: Copy on\nwrite, Global, Large, '
            'Dirty, Accessed, No cache, write-Through, User or Kernel,\n'
            'Writable or Readable, Executable, Valid.')
    fewest = most = 1

    def run(self, words):
        virtual = canonical_value(words[0])
        entries = kernel.walk(virtual)
        mapped = slot() is not None
        lines = [f'{"VA":>45} {virtual:016X}']
        if mapped:
            lines.append(row(f'{LEVELS[level]} at '
                             f'{seen_at(level, virtual):016X}'
                             for level in (3, 2, 1, 0)))
        lines += [
            row(f'contains {entry.value:016X}' for entry in entries),
            row(self.page(entry) for entry in entries),
            row(f'memory {entry.where:016X}' for entry in entries)]
        if mapped:
            lines += list(differences(virtual, entries)) or \
                ['the self map and memory agree']
        else:
            lines.append('no self map yet: Mm has not started')
        last = entries[-1]
        if last.valid:
            lines.append(f'{LEVELS[last.level]}: {hardware(last.value)}')
            lines.append(f'physical {kernel.physical(virtual):016X}')
        else:
            lines += [f'{LEVELS[last.level]}: not valid',
                      *software(last.value)]
        for line in lines:
            say(line)

    def page(self, entry):
        if not entry.valid:
            return 'not valid'
        return f'pfn {frame(entry.value):<8x} {letters(entry.value)}'


# ---- nt vtop


def directory(word):
    """Returns a cr3 from a page-frame number or a directory base."""
    value = expression.value(word)
    roots = {kernel.number(owner['Pcb']['DirectoryTableBase']) & ~0xFFF
             for owner in kernel.processes()}
    if not value:
        return machine.register('cr3') & ~0xFFF
    if value in roots or value << 12 not in roots and not value & 0xFFF:
        return value
    return value << 12


class Vtop(expression.AboutAddress):
    name = 'vtop'
    windbg = '!vtop'
    usage = '[PFN | DIRBASE] ADDRESS'
    summary = 'an address in memory, step by step'
    help = ('With PFN or DIRBASE (a process\'s DirectoryTableBase) in that '
            'address space,\nwith 0 or none in the loaded one.')
    fewest, most = 1, 2

    def run(self, words):
        virtual = canonical_value(words[-1])
        root = directory(words[0] if len(words) == 2 else '0')
        say(f'Amd64VtoP: Virt {virtual:016x}, pagedir {root:016x}')
        for entry in kernel.walk(virtual, root):
            say(f'Amd64VtoP: {VTOP_LEVELS[entry.level]:<5} '
                f'{entry.where:016x}: {entry.value:016x}')
        physical = kernel.physical(virtual, root)
        if physical is None:
            say(f'Virtual address {virtual:x} is not in memory there.')
            return
        say(f'Amd64VtoP: Mapped phys {physical:016x}')
        say(f'Virtual address {virtual:x} translates to physical address '
            f'{physical:x}.')


COMMANDS = (Pte, Vtop)
