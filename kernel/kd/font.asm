; kernel/kd/font.asm - the console's font, a PSF file of a Debian package.

section .rodata
global kd_font
kd_font:
        incbin  "font.psf"
