"""ntwalk: building images and running machines.

    errors      the one-line complaints
    pe          reading PE files: headers, exports, system-call stubs
    numbering   service numbers as data
    image       the bootable image
    qmp, gdb    talking to a running QEMU
    machine     one emulated PC
    boot        all of it: options -> image -> machine -> exit status
"""
