"""initramfs.py: the file system that Linux unpacks before it starts /init.

cpio's "newc" format: a header of hexadecimal numbers, a name and contents,
padded to four bytes each.
"""
PROGRAM = 0o100755
END = 'TRAILER!!!'


def padded(data):
    return data + bytes(-len(data) % 4)


def entry(number, mode, name, data):
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0,
              len(name) + 1, 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields)
    return padded(head + name.encode() + b'\0') + padded(data)


def archive(programs):
    """Returns the bytes of an archive with these {name: bytes}."""
    entries = [entry(number, PROGRAM, name, data)
               for number, (name, data) in enumerate(programs.items(), 1)]
    return b''.join(entries) + entry(0, 0, END, b'')
