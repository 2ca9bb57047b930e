"""peers: the same things measured in Linux, on the machine of make bench.

    debian      Debian's kernel, downloaded
    initramfs   our two programs, as the file system it starts from
    linux       one run of it
    table       both systems' figures side by side
"""
