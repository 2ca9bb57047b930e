"""decode.py: a line of objdump's, taken apart."""
import re

LEGACY = ('ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di')
REGISTERS = {}                          # name: (64-bit name, bytes)
for name in LEGACY:
    REGISTERS |= {'r' + name: ('r' + name, 8), 'e' + name: ('r' + name, 4),
                  name: ('r' + name, 2)}
    REGISTERS[name + 'l' if name[1] in 'pi' else name[0] + 'l'] = \
        ('r' + name, 1)
for name in (f'r{number}' for number in range(8, 16)):
    REGISTERS |= {name: (name, 8), name + 'd': (name, 4),
                  name + 'w': (name, 2), name + 'b': (name, 1)}
GENERAL = tuple(sorted({name for name, _ in REGISTERS.values()}))
# Loaded and stored with nothing known of them. Not here: gs; and cr3, of which
# more is known.
OTHER = re.compile(r'xmm\d+$|cr[0248]$|dr[0-367]$|[cdefs]s$')
MEMORY = re.compile(r'(?:(\w+) PTR )?(?:(\w\w):)?(?:\[(.*)\]|(0x[0-9a-f]+))$')
SIZES = {'BYTE': 1, 'WORD': 2, 'DWORD': 4, 'QWORD': 8, 'XMMWORD': 16}
TERM = re.compile(r'([+-]?)([^+-]+)')
JUMPS = frozenset('jmp je jne jb jae jbe ja jl jge jle jg js jns jc jnc'
                  .split())


class Mem:
    """An operand in memory: segment, base, index times scale, displacement,
    bytes."""

    def __init__(self, match, target):
        size, self.segment, inside, absolute = match.groups()
        self.size = SIZES.get(size, 8)
        self.base = self.index = None
        self.scale = 1
        self.offset = int(absolute, 16) if absolute else 0
        self.target = target
        for sign, term in TERM.findall(inside or ''):
            if '*' in term:
                self.index, scale = term.split('*')
                self.scale = int(scale)
            elif term in REGISTERS or term == 'rip':
                self.base, self.index = (term, self.index) \
                    if self.base is None else (self.base, term)
            else:
                self.offset += int(sign + term, 16)


class Instruction:
    """A line of objdump: prefix, op, operands, the address it names."""

    def __init__(self, text):
        text, _, comment = text.partition('#')
        words = text.split()
        self.prefix = ''
        while len(words) > 1 and words[0] in ('rep', 'lock', 'cs', 'data16'):
            self.prefix = words.pop(0)
        self.op = words[0]
        rest = ' '.join(words[1:])
        self.text = ' '.join([self.op, rest]).strip()
        named = re.search(r'([0-9a-f]+) <', comment or rest)
        self.target = int(named.group(1), 16) if named else None
        rest = re.sub(r' <.*', '', rest)
        self.operands = [self.operand(word.strip())
                         for word in rest.split(',')] if rest else []

    def operand(self, word):
        if word in REGISTERS or word == 'cr3' or OTHER.match(word):
            return word
        if self.op in JUMPS or self.op == 'call':
            if re.fullmatch('[0-9a-f]{9,}', word):
                return self.target
        if re.fullmatch('-?(0x)?[0-9a-f]+', word):
            return int(word, 16)
        match = MEMORY.match(word)
        return Mem(match, self.target) if match else '?' + word
