"""walkout.py: steps through calls and looks whether gdb finds the way out.

Inside gdb, behind scripts/gdb/nt.py:

    python import walkout
    python walkout.service('NtClose')

At every instruction, in either ring, one frame of the walk must be the
program's: the instruction behind the call, its rsp, and the registers that a
call keeps. Prints how many instructions that were.
"""
import gdb

from ntgdb import kernel, machine

KEPT = ('rbx', 'rbp', 'rsi', 'rdi', 'r12', 'r13', 'r14', 'r15')
ALL = (*KEPT, 'rax', 'rcx', 'rdx', 'r8', 'r9', 'r10', 'r11')
MOST_STEPS = 20000
MOST_FRAMES = 40


def number(frame, name):
    return int(frame.read_register(name).cast(
        gdb.lookup_type('unsigned long long')))


def look(pc, rsp, kept):
    """Returns why the walk from here does not find the caller, or None."""
    frame, seen = gdb.newest_frame(), []
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        seen.append(f'{int(frame.pc()):x}')
        try:
            if int(frame.pc()) == pc and number(frame, 'rsp') == rsp:
                wrong = [name for name, value in kept.items()
                         if number(frame, name) != value]
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
        gdb.execute('stepi', to_string=True)
        if over():
            return steps, wrong, rings
    return steps, wrong + ['it did not come back'], rings


def run_to(place, condition=None):
    point = gdb.Breakpoint(place, gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    try:
        if condition:
            point.condition = condition
        gdb.execute('continue', to_string=True)
    finally:
        point.delete()


def call(title, names=KEPT):
    """From the first instruction of a function of ring 3 to its caller.

    names: the registers that are looked at.
    """
    wide = machine.register('cs') & 0xFFFF == 0x2B
    size = 8 if wide else 4
    before = machine.register('rsp')
    rsp = before + size
    pc = int.from_bytes(machine.read(before, size), 'little')
    kept = {name: machine.register(name) for name in
            (names if wide else KEPT[:4])}
    thread = kernel.address(kernel.thread())

    def over():
        return machine.register('rip') == pc and machine.ring() == 3 and \
            machine.register('rsp') > before

    report(title, *walk(pc, rsp, kept, over))
    assert kernel.address(kernel.thread()) == thread


def fault(title, entry):
    """From an exception's entry in ring 0 until its code goes on."""
    run_to(f'*{entry}')
    frame = machine.register('rsp') + 8         # behind the error code
    pc, rsp = machine.quad(frame), machine.quad(frame + 24)
    kept = {name: machine.register(name) for name in ALL}

    def over():
        return machine.ring() == 3 and machine.register('rip') == pc

    report(title, *walk(pc, rsp, kept, over))


def report(title, steps, wrong, rings):
    for line in wrong[:20]:
        print(f'{title}: {line}')
    print(f'{title}: {steps} instructions in ring '
          f'{" and ".join(str(ring) for ring in sorted(rings))}, '
          f'{len(wrong)} wrong')
