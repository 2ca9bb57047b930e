/*
 * x86/i8042.h - the keyboard controller of a PC.
 */
#pragma once

#define I8042_DATA 0x60
#define I8042_STATUS 0x64               /* read */
#define I8042_COMMAND 0x64              /* written */

#define I8042_OUTPUT_FULL 0x01          /* a byte waits in I8042_DATA */
#define I8042_INPUT_FULL 0x02           /* not ready for another byte */
#define I8042_FROM_MOUSE 0x20           /* where the waiting byte is from */

#define I8042_READ_CONFIGURATION 0x20
#define I8042_WRITE_CONFIGURATION 0x60
#define I8042_DISABLE_MOUSE 0xA7
#define I8042_DISABLE_KEYBOARD 0xAD
#define I8042_ENABLE_KEYBOARD 0xAE
#define I8042_PULSE_RESET 0xFE          /* of the processor's reset line */

#define I8042_INTERRUPTS 0x03           /* configuration: both devices' */
#define I8042_KEYBOARD_OFF 0x10
#define I8042_TRANSLATE 0x40            /* scan code set 2 becomes set 1 */

#define KEYBOARD_ENABLE_SCANNING 0xF4   /* written to I8042_DATA */
