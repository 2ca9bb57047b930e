"""seh.py: callers of 64-bit code, from a PE image's own unwind information.

As RtlVirtualUnwind has it: .pdata says which function an address is in, its
UNWIND_INFO what the prologue has done; code without either is a leaf, whose
return address is at rsp.
"""
import struct

REGISTERS = ('rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8',
             'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15')
RSP = 4
MASK = 0xFFFFFFFFFFFFFFFF
CHAINED = 4
EXCEPTION_DIRECTORY = 3

PUSH_NONVOL, ALLOC_LARGE, ALLOC_SMALL, SET_FPREG, SAVE_NONVOL, \
    SAVE_NONVOL_FAR = range(6)
SAVE_XMM128, SAVE_XMM128_FAR, PUSH_MACHFRAME = 8, 9, 10


class Frame:
    """Registers of a function, and then of its caller.

    memory(address): eight bytes there. image(rva, size): bytes of the image.
    """

    def __init__(self, registers, rip, memory, image):
        self.registers, self.rip = list(registers), rip
        self.memory, self.image = memory, image
        self.machine = False            # the caller was interrupted

    def pop(self):
        value = self.memory(self.registers[RSP])
        self.registers[RSP] += 8
        return value

    def load(self, register, address):
        self.registers[register] = self.memory(address & MASK)

    def return_to_caller(self):
        self.rip = self.pop()


def function_at(image, table, size, rva):
    """Returns (begin, end, information) of the function with an address."""
    low, high = 0, size // 12
    while low < high:
        middle = (low + high) // 2
        begin, end, information = struct.unpack(
            '<III', image(table + middle * 12, 12))
        if rva < begin:
            high = middle
        elif rva >= end:
            low = middle + 1
        else:
            return begin, end, information
    return None


def slots(code, info):
    if code in (ALLOC_LARGE, SAVE_NONVOL, SAVE_XMM128):
        return 3 if code == ALLOC_LARGE and info else 2
    return 3 if code in (SAVE_NONVOL_FAR, SAVE_XMM128_FAR) else 1


def undo(frame, information, done):
    """Undoes the prologue's codes up to offset done; None: all of them."""
    head, _, count, register = struct.unpack('<BBBB',
                                             frame.image(information, 4))
    raw = frame.image(information + 4, (count + 1 & ~1) * 2 + 12)
    codes = struct.unpack(f'<{count}H', raw[:count * 2])
    base = None
    if register & 15 and set_fpreg_is_done(codes, done):
        base = frame.registers[register & 15] - (register >> 4) * 16
    index = 0
    while index < count:
        offset, code, info = codes[index] & 0xFF, codes[index] >> 8 & 15, \
            codes[index] >> 12
        size = slots(code, info)
        more = codes[index + 1:index + size]
        index += size
        if done is None or offset <= done:
            apply(frame, code, info, more, base)
            if code == PUSH_MACHFRAME:
                return
    if head >> 3 & CHAINED:
        at = (count + 1 & ~1) * 2
        undo(frame, struct.unpack_from('<III', raw, at)[2], None)
    else:
        frame.return_to_caller()


def set_fpreg_is_done(codes, done):
    index = 0
    while index < len(codes):
        code, info = codes[index] >> 8 & 15, codes[index] >> 12
        if code == SET_FPREG:
            return done is None or codes[index] & 0xFF <= done
        index += slots(code, info)
    return True                         # the function that this chains to


def apply(frame, code, info, more, base):
    registers = frame.registers
    far = more[0] | more[1] << 16 if len(more) > 1 else 0
    if code == PUSH_NONVOL:
        registers[info] = frame.pop()
    elif code == ALLOC_LARGE:
        registers[RSP] += far if info else more[0] * 8
    elif code == ALLOC_SMALL:
        registers[RSP] += info * 8 + 8
    elif code == SET_FPREG:
        registers[RSP] = base
    elif code in (SAVE_NONVOL, SAVE_NONVOL_FAR):
        start = registers[RSP] if base is None else base
        frame.load(info, start + (far or more[0] * 8))
    elif code == PUSH_MACHFRAME:
        registers[RSP] += 8 * info
        frame.rip = frame.memory(registers[RSP])
        registers[RSP] = frame.memory(registers[RSP] + 24)
        frame.machine = True


def finish_epilogue(frame, code):
    """Does what is left of an epilogue; False when this is none.

    code: the instructions from rip on.
    """
    work, at = Frame(frame.registers, frame.rip, frame.memory, None), 0
    if code[:3] == b'\x48\x83\xc4':
        work.registers[RSP] += struct.unpack_from('<b', code, 3)[0]
        at = 4
    elif code[:3] == b'\x48\x81\xc4':
        work.registers[RSP] += struct.unpack_from('<i', code, 3)[0]
        at = 7
    while at < len(code):
        wide = code[at] == 0x41 and at + 1 < len(code)
        if code[at + wide] & 0xF8 != 0x58:
            break
        work.registers[code[at + wide] & 7 | 8 * wide] = work.pop()
        at += 1 + wide
    if code[at:at + 1] not in (b'\xc3', b'\xc2') and \
            code[at:at + 2] != b'\xf3\xc3':
        return False
    work.return_to_caller()
    frame.registers, frame.rip = work.registers, work.rip
    return True


def step(frame, base, table, code):
    """Makes a Frame its caller's.

    table: (rva, size) of .pdata; code: the instructions from rip on. Returns
    where the function begins, or None for a leaf.
    """
    rva = frame.rip - base
    found = function_at(frame.image, *table, rva)
    if found is None:
        frame.return_to_caller()
        return None
    prologue = frame.image(found[2] + 1, 1)[0]
    if rva - found[0] < prologue:
        undo(frame, found[2], rva - found[0])
    elif not finish_epilogue(frame, code):
        undo(frame, found[2], None)
    return base + found[0]
