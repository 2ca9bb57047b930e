"""cfi.py: callers of 32-bit code, from a PE file's .debug_frame.

gdb reads the table, too, but for the processor that it debugs; one in 64-bit
mode has other numbers for its registers.
"""
import struct

from . import pe

# DWARF's numbers of i386's registers; 8 is the return address.
REGISTERS = ('eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip')
ESP, EIP = 4, 8
MASK = 0xFFFFFFFF


def section(data, wanted):
    """Returns (linked address, bytes) of a PE file's section, or None."""
    header = struct.unpack_from('<I', data, 0x3C)[0]
    count, symbols, symbol_count, size = struct.unpack_from(
        '<H4xIIH', data, header + 6)
    strings = symbols + symbol_count * 18
    base = struct.unpack_from('<I', data, header + 24 + 28)[0]
    for index in range(count):
        row = header + 24 + size + index * pe.SECTION_SIZE
        name = data[row:row + 8].rstrip(b'\0')
        if name.startswith(b'/'):
            start = strings + int(name[1:])
            name = data[start:data.index(b'\0', start)]
        if name.decode('latin-1') == wanted:
            length, rva, _, offset = struct.unpack_from('<IIII', data,
                                                        row + 8)
            return base + rva, data[offset:offset + length]
    return None


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def number(self, form):
        value, = struct.unpack_from('<' + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def leb(self, signed=False):
        value = shift = 0
        while True:
            byte = self.number('B')
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if signed and byte & 0x40:
            value -= 1 << shift
        return value

    def block(self):
        size = self.leb()
        self.at += size
        return self.data[self.at - size:self.at]


class Row:
    """Where the CFA is, and rules: register number: (kind, operand)."""

    def __init__(self, cfa=(ESP, 4), rules=None):
        self.cfa, self.rules = cfa, dict(rules or {})

    def copy(self):
        return Row(self.cfa, self.rules)


class Table:
    """The .debug_frame of a 32-bit PE file at the address it is linked for.
    """

    def __init__(self, path):
        with open(path, 'rb') as file:
            found = section(file.read(), '.debug_frame')
        self.entries = []
        commons = {}
        reader = Reader(found[1] if found else b'')
        while reader.at + 4 <= len(reader.data):
            start = reader.at
            size = reader.number('I')
            if not size:
                break
            end = reader.at + size
            where = reader.number('I')
            if where == MASK:
                commons[start] = self.common(reader, end)
            else:
                first, length = reader.number('I'), reader.number('I')
                self.entries.append((first, first + length, commons[where],
                                     reader.data[reader.at:end]))
            reader.at = end
        self.entries.sort(key=lambda entry: entry[:2])

    @staticmethod
    def common(reader, end):
        version = reader.number('B')
        reader.at = reader.data.index(b'\0', reader.at) + 1
        if version >= 4:
            reader.at += 2
        code, data = reader.leb(), reader.leb(True)
        reader.leb()                            # the column is EIP's
        return code, data, reader.data[reader.at:end]

    def row(self, address):
        """Returns the Row that holds at an address, or None."""
        for first, end, (code, data, initial), program in self.entries:
            if first <= address < end:
                row = run(initial, Row(), None, code, data, 0, 1 << 32)
                return run(program, row.copy(), row, code, data, first,
                           address)
        return None


def run(program, row, initial, code, data, location, address):
    """Runs the rules of a program up to an address."""
    reader, kept = Reader(program), []
    while reader.at < len(program) and location <= address:
        operation = reader.number('B')
        low, high = operation & 0x3F, operation & 0xC0
        if high == 0x40:
            location += low * code
        elif high == 0x80:
            row.rules[low] = ('at', reader.leb() * data)
        elif high == 0xC0:
            restore(row, initial, low)
        elif low in (2, 3, 4):
            location += reader.number('.BHI'[low - 1]) * code
        elif low == 1:
            location = reader.number('I')
        elif low == 5:
            register = reader.leb()
            row.rules[register] = ('at', reader.leb() * data)
        elif low == 6:
            restore(row, initial, reader.leb())
        elif low in (7, 8):
            row.rules.pop(reader.leb(), None)
        elif low == 9:
            register = reader.leb()
            row.rules[register] = ('in', reader.leb())
        elif low == 0xA:
            kept.append(row.copy())
        elif low == 0xB:
            row = kept.pop()
        elif low == 0xC:
            row.cfa = (reader.leb(), reader.leb())
        elif low == 0xD:
            row.cfa = (reader.leb(), row.cfa[1])
        elif low == 0xE:
            row.cfa = (row.cfa[0], reader.leb())
        elif low == 0xF:
            row.cfa = reader.block()
        elif low == 0x10:
            register = reader.leb()
            row.rules[register] = ('expression', reader.block())
        elif low == 0x2E:
            reader.leb()                        # bytes of arguments
        elif low:
            raise ValueError(f'DW_CFA {operation:#x}')
    return row


def restore(row, initial, register):
    row.rules.pop(register, None)
    if register in initial.rules:
        row.rules[register] = initial.rules[register]


def evaluate(block, registers, read):
    """Returns what an expression of registers and memory is."""
    reader, stack = Reader(block), []
    while reader.at < len(block):
        operation = reader.number('B')
        if 0x70 <= operation < 0x78:
            stack.append(registers[operation - 0x70] + reader.leb(True)
                         & MASK)
        elif operation == 0x06:
            stack.append(read(stack.pop()))
        else:
            raise ValueError(f'DW_OP {operation:#x}')
    return stack[-1]


def caller(row, registers, read):
    """Returns the caller's registers, EIP's among them.

    registers: numbers by DWARF's number; read(address): four bytes there.
    """
    if isinstance(row.cfa, bytes):
        cfa = evaluate(row.cfa, registers, read)
    else:
        cfa = registers[row.cfa[0]] + row.cfa[1] & MASK
    result = dict(registers)
    for register, (kind, operand) in row.rules.items():
        if kind == 'at':
            result[register] = read(cfa + operand & MASK)
        elif kind == 'in':
            result[register] = registers[operand]
        else:
            result[register] = read(evaluate(operand, registers, read))
    result[ESP] = cfa
    return result
