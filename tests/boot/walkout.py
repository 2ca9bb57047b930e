"""walkout.py: steps through calls and looks whether gdb finds the way out.

Inside gdb, behind scripts/gdb/nt.py:

    python import walkout
    python walkout.service('NtClose')

At every instruction, in either ring, one frame of the walk must be the
program's: the instruction behind the call, its rsp, and the registers that a
call keeps. Prints how many instructions that were.
"""
import gdb

from ntgdb import machine

KEPT = ('rbx', 'rbp', 'rsi', 'rdi', 'r12', 'r13', 'r14', 'r15')
ALL = (*KEPT, 'rax', 'rcx', 'rdx', 'r8', 'r9', 'r10', 'r11')
CODE_32 = 0x1B
MOST_STEPS = 20000
MOST_FRAMES = 40


def number(frame, name):
    """Returns a register, or None: a call has lost it."""
    value = frame.read_register(name)
    if value.is_optimized_out:
        return None
    return int(value.cast(gdb.lookup_type('unsigned long long')))


def look(pc, rsp, kept):
    """Returns why the walk from here does not find the caller, or None."""
    frame, seen = gdb.newest_frame(), []
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        seen.append(f'{int(frame.pc()):x}')
        try:
            if int(frame.pc()) == pc and number(frame, 'rsp') == rsp:
                found = {name: number(frame, name) for name in kept}
                wrong = [name for name, value in kept.items()
                         if found[name] != value and
                         (found[name] is not None or name in KEPT)]
                return f'wrong: {" ".join(wrong)}' if wrong else None
            frame = frame.older()
        except gdb.error as error:
            return str(error)
    return 'not among ' + ' '.join(seen)


def walk(pc, rsp, kept, over):
    """Steps until over(); returns (instructions, [where it went wrong])."""
    wrong, steps, rings = [], 0, set()
    while steps < MOST_STEPS:
        complaint = look(pc, rsp, kept)
        rings.add(machine.ring())
        steps += 1
        if complaint:
            here = machine.register('rip')
            wrong.append(f'{here:x} {gdb.newest_frame().name()}: {complaint}')
        machine.quietly('stepi')
        if over():
            return steps, wrong, rings
    return steps, wrong + ['it did not come back'], rings


def run_to(place, condition=None):
    point = gdb.Breakpoint(place, gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    try:
        if condition:
            point.condition = condition
        machine.quietly('continue')
    finally:
        point.delete()


def call(title, names=KEPT):
    """From the first instruction of a function to its caller.

    names: the registers that are looked at.
    """
    ring = machine.ring()
    wide = machine.register('cs') & 0xFFFF != CODE_32
    size = 8 if wide else 4
    before = machine.register('rsp')
    rsp = before + size
    pc = int.from_bytes(machine.read(before, size), 'little')
    kept = {name: machine.register(name) for name in
            (names if wide else KEPT[:4])}

    def over():
        return machine.register('rip') == pc and \
            machine.ring() == ring and machine.register('rsp') > before

    report(title, *walk(pc, rsp, kept, over))


def fault(title, entry, error_code=True):
    """From an exception's or interrupt's entry until its code goes on."""
    run_to(f'*{entry}')
    frame = machine.register('rsp') + 8 * error_code
    pc, rsp = machine.quad(frame), machine.quad(frame + 24)
    ring = machine.quad(frame + 8) & 3
    kept = {name: machine.register(name) for name in ALL}

    def over():
        return machine.ring() == ring and \
            machine.register('rip') == pc and machine.register('rsp') == rsp

    report(title, *walk(pc, rsp, kept, over))


def report(title, steps, wrong, rings):
    for line in wrong[:20]:
        print(f'{title}: {line}')
    print(f'{title}: {steps} instructions in ring '
          f'{" and ".join(str(ring) for ring in sorted(rings))}, '
          f'{len(wrong)} wrong')
