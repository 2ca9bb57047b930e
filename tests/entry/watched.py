"""watched.py: runs of a kernel under scripts/plugin's watch.so.

What the plugin must know of the kernel comes from its file: the helpers are
the instructions at which a fault is a status (ki_fixups), and nothing else.
What it has seen is added up over several runs of one kernel.
"""
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'scripts'),
                os.path.dirname(os.path.abspath(__file__))]
sys.dont_write_bytecode = True

from ntwalk import boot                                     # noqa: E402
from ntwalk.machine import plugin                           # noqa: E402

# Kinds of scripts/plugin/places.h, by symbol.
SINGLE = {'mm_end_boot_mappings': 'begin', 'ki_thread_begin': 'thread',
          'KiCallUserMode': 'calls-user',
          'ki_return_from_callback': 'called-user'}
DOORS = tuple(f'{name}{kind}' for name in ('KiSystemCall64', 'KiFastCallEntry',
                                           'KiFastCallEntry2')
              for kind in ('', 'Shadow'))
DOOR_VECTOR = 0x2E
PROBES = ('arch_touch_user',)
# What changes page tables under KVA shadow.
WAYS_OUT = ('KiKernelSysretExit', 'ki_kernel_sysexit', 'ki_kernel_iret')
IST = ('KiNmiInterrupt', 'KiMcheckAbort', 'KiDoubleFaultAbort',
       'ki_debug_paranoid', 'taken_again')
# What ring 3's page tables have, in the kernel's own words.
SHARED = re.compile(r'^KVA   ([0-9a-f]{16})-([0-9a-f]{16})  R', re.M)
# What reads for others.
HELPERS = ('arch_copy_user', 'mm_copy_from_user', 'mm_copy_from_mode')
LISTED = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      'fetches.txt')


def function(kernel, address):
    """The name of a function, without NASM's and GCC's local labels."""
    return kernel.symbol(address).partition('.')[0]


def places(kernel):
    """Yields (kind, start, end) for an image.Image."""
    for name, kind in SINGLE.items():
        yield kind, kernel.symbols[name], kernel.symbols[name] + 1
    doors = [kernel.symbols[name] for name in DOORS]
    doors.append(kernel.vectors[DOOR_VECTOR])   # KVA shadow's leads there, too
    for at in doors:
        yield 'door', at, at + 1
    for at in {*doors, *kernel.vectors, *kernel.shadow_vectors}:
        yield 'entry', at, at + 1
    for start, end, _ in kernel.fixups:
        yield 'helper', start, end
        if function(kernel, start) in PROBES:
            yield 'probe', start, end
    loads = [at for at, text in kernel.code.items()
             if function(kernel, at) == 'SwapContext'
             and text.startswith('mov rsp,QWORD PTR [rsi')]
    if len(loads) != 1:
        raise ValueError('SwapContext loads no stack, or several')
    yield 'switch', loads[0], loads[0] + 1
    yield 'shadow', kernel.symbols['kvas_start'], kernel.symbols['kvas_end']
    yield from tables(kernel)


def tables(kernel):
    """Yields (kind, start, end) of the instructions that change page tables.

    Of an IST vector the first MOV CR3 loads the kernel's and the last one what
    there was; the ways out load ring 3's, all others the kernel's.
    """
    offset = kernel.offsets['KPROCESS.UserDirectoryTableBase']
    seen = set()
    for at, text in sorted(kernel.code.items()):
        name = function(kernel, at)
        if name in WAYS_OUT and text.endswith(f'+{offset:#x}]'):
            yield 'user-tables', at, at + 1
        if not text.startswith('mov cr3,'):
            continue
        kind = 'leaves-tables'
        if name in WAYS_OUT:
            kind = 'enters-tables'
        elif name in IST:
            kind = 'restores-tables' if name in seen else 'saves-tables'
        seen.add(name)
        yield kind, at, at + 1


def listed():
    """Returns [(who reads first, who reads again)] of fetches.txt."""
    with open(LISTED, encoding='utf-8') as text:
        rows = [[word.strip() for word in line.split('|')] for line in text
                if line.strip() and not line.startswith('#')]
    return [(first, again) for first, again, _ in rows]


def chain_of(word):
    return tuple(int(at, 16) for at in word.split(','))


class Watch:
    """What ring 0 has done with ring 3's memory, in all runs so far.

    outside is {chain: [count, address]}, and so is unmapped: instructions
    under ring 3's page tables that these have not. pages are (count, page,
    chain of who came first) of what was read and written then, shared the
    ranges that those page tables have. pairs is {(chain, chain of the read
    before): [together, apart, address]} (scripts/plugin/fetches.h). A chain is
    the instruction, then the CALLs that led there; of pairs, up to who called
    the reader.
    """

    def __init__(self, kernel):
        self.kernel = kernel
        self.counts = dict.fromkeys(('calls', 'accesses', 'helpers',
                                     'shadow'), 0)
        self.outside, self.unmapped, self.pairs = {}, {}, {}
        self.pages, self.shared = [], set()
        self.listed = listed()

    def run(self, config):
        """Runs a machine to its end; returns its boot.Result."""
        with tempfile.TemporaryDirectory() as folder:
            known, out = (os.path.join(folder, name)
                          for name in ('places', 'out'))
            with open(known, 'w', encoding='ascii') as text:
                for kind, start, end in places(self.kernel):
                    text.write(f'{kind} {start:x} {end:x}\n')
            config.qemu_args = [*config.qemu_args, *plugin(
                os.path.join(config.build, 'watch.so'), places=known,
                out=out)]
            result = boot.run(config)
            with open(out, encoding='ascii') as text:
                for words in map(str.split, text):
                    self.add(*words)
        self.shared.update((int(start, 16), int(end, 16)) for start, end in
                           SHARED.findall(result.console))
        return result

    def add(self, kind, number, *words):
        """A line of the plugin's: see watch.c."""
        if kind in self.counts:
            self.counts[kind] += int(number)
            return
        if kind == 'page':
            address, chain = words
            self.pages.append((int(number), address, chain_of(chain)))
            return
        if kind != 'pair':
            address, chain = words
            known = getattr(self, kind).setdefault(chain_of(chain), [0, ''])
            known[0] += int(number)
            known[1] = address
            return
        apart, address, *chains = words
        pair = tuple(chain[:self.reader_at(chain) + 2]
                     for chain in map(chain_of, chains))
        known = self.pairs.setdefault(pair, [0, 0, ''])
        known[0] += int(number)
        known[1] += int(apart)
        known[2] = address if int(number) else known[2]

    def reader_at(self, chain):
        """Which one of a chain wanted to read."""
        return next((i for i, at in enumerate(chain)
                     if function(self.kernel, at) not in HELPERS), 0)

    def reader(self, chain):
        return function(self.kernel, chain[self.reader_at(chain)])

    def is_listed(self, chain, before):
        again, first = self.reader(chain), self.reader(before)
        return any(one in ('any', first) and other in ('any', again)
                   for one, other in self.listed)

    def twice(self):
        """Yields (count, address, chain, chain before) of double fetches.

        A pair that has read different bytes in other calls has two arguments,
        which coincide here; unless it is one place in a loop.
        """
        for (chain, before), (count, apart, address) in self.pairs.items():
            if count and not self.is_listed(chain, before) and \
                    (apart == 0 or chain == before):
                yield count, address, chain, before

    def not_shared(self):
        """Yields (count, address, chain)."""
        for chain, (count, address) in self.unmapped.items():
            yield count, address, chain
        for count, address, chain in self.pages:
            if not any(start <= int(address, 16) < end
                       for start, end in self.shared):
                yield count, address, chain

    def findings(self):
        """Returns lines of text, each what must not be."""
        lines = [f'{count} x outside of the helpers: {address} by '
                 f'{self.names(chain)}'
                 for chain, (count, address) in self.outside.items()]
        lines += [f'{count} x not in ring 3\'s page tables: {address} by '
                  f'{self.names(chain)}'
                  for count, address, chain in self.not_shared()]
        return lines + [f'{count} x read twice: {address} by '
                        f'{self.names(chain)}\n    before by '
                        f'{self.names(before)}'
                        for count, address, chain, before in self.twice()]

    def names(self, chain):
        return ' < '.join(self.kernel.name(at) for at in chain)

    def summary(self):
        outside = sum(count for count, _ in self.outside.values())
        twice = sum(found[0] for found in self.twice())
        return (f'{self.counts["calls"]} calls, {self.counts["accesses"]} '
                'ring-0 accesses to user memory, '
                f'{self.counts["helpers"]} in helpers, {outside} outside, '
                f'{twice} double fetches; {self.counts["shadow"]} steps under '
                'ring 3\'s page tables, '
                f'{sum(found[0] for found in self.not_shared())} '
                'outside of them')
