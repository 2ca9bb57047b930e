"""objects.py: nt handle, and what an object is: its type and its name."""
from . import expression, kernel, machine
from .command import Command, Wrong, say

NAME_INFO = 0x02                        # OBJECT_HEADER.InfoMask, NT's
FIRST_TYPE = 2
MASK = (1 << 64) - 1
ENTRY_SIZE, PER_PAGE = 16, 256          # of a handle table
TABLE_LEVEL = 3                         # of HANDLE_TABLE.TableCode
ATTRIBUTES = {1: 'Protected', 2: 'Inherit', 4: 'Audit'}


def header_of(body):
    return kernel.at(body - kernel.offset('OBJECT_HEADER', 'Body'),
                     'OBJECT_HEADER')


def type_of(body):
    """Returns the name of an object's type, or None: it has no header."""
    try:
        header = header_of(body)
        index = kernel.number(header['TypeIndex']) ^ \
            kernel.number(kernel.variable('ObHeaderCookie')) ^ \
            kernel.address(header) >> 8 & 0xFF
        if not FIRST_TYPE <= index < kernel.number(
                kernel.variable('obp_next_type')):
            return None
        return kernel.text(kernel.variable('ObTypeIndexTable')[index]['Name'])
    except machine.NoMemory:
        return None


def name_of(body):
    """Returns an object's own name, or ''."""
    header = header_of(body)
    if not kernel.number(header['InfoMask']) & NAME_INFO:
        return ''
    size = kernel.type_of('OBJECT_HEADER_NAME_INFO').sizeof
    return kernel.text(kernel.at(kernel.address(header) - size,
                                 'OBJECT_HEADER_NAME_INFO')['Name'])


def handle_count(owner):
    table = kernel.number(owner['ObjectTable'])
    return kernel.number(kernel.at(table, 'HANDLE_TABLE')
                         ['FreeLists'][0]['HandleCount']) if table else 0


def pages(code, level):
    """Yields the pages of entries below a table."""
    if not level:
        yield code
        return
    for page in kernel.words(machine.read(code, 4096)):
        if page:
            yield from pages(page, level - 1)


def handles(owner):
    """Yields (handle, object's body, access, attributes) of a process."""
    table = kernel.number(owner['ObjectTable'])
    if not table:
        return
    code = kernel.number(kernel.at(table, 'HANDLE_TABLE')['TableCode'])
    last = kernel.number(kernel.at(table, 'HANDLE_TABLE')
                         ['NextHandleNeedingPool'])
    body = kernel.offset('OBJECT_HEADER', 'Body')
    for number, page in enumerate(pages(code & ~TABLE_LEVEL,
                                        code & TABLE_LEVEL)):
        rows = kernel.words(machine.read(page, PER_PAGE * ENTRY_SIZE))
        for index in range(1, PER_PAGE):
            low, high = rows[2 * index], rows[2 * index + 1]
            handle = (number * PER_PAGE + index) * 4
            if low and handle < last:
                signed = low - (1 << 64) if low >> 63 else low
                header = signed >> 16 & ~0xF
                yield handle, (header & MASK) + body, \
                    high & 0x1FFFFFF, low >> 17 & 7



class Handle(Command):
    name = 'handle'
    windbg = '!handle'
    usage = '[HANDLE [PID]]'
    summary = 'a process\'s handles, or one of them'
    help = 'Of the process whose addresses are seen, unless PID is given.'
    most = 2

    def run(self, words):
        owner = kernel.process()
        if len(words) > 1:
            owner = kernel.process_with(expression.value(words[1]))
        wanted = expression.value(words[0]) if words else 0
        rows = [row for row in handles(owner)
                if not wanted or row[0] == wanted & ~3]
        if not rows:
            raise Wrong(f'no handle {wanted:x} in process '
                        f'{kernel.pid(owner):x}' if wanted else
                        'the process has no handles')
        say(f'PROCESS {kernel.address(owner):016x}  Cid: '
            f'{kernel.pid(owner):04x}  Image: {kernel.image_name(owner)}')
        for handle, body, access, attributes in rows:
            words = ''.join(f' ({word})' for bit, word in ATTRIBUTES.items()
                            if attributes & bit)
            say(f'{handle:04x}: Object: {body:016x}  GrantedAccess: '
                f'{access:08x}{words}  Type: {type_of(body)}'
                f'  Name: {name_of(body)}'.removesuffix('  Name: '))


COMMANDS = (Handle,)
