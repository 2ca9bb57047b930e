/*
 * usb.h - ring 1: keyboards on USB, by xHCI controllers.
 */
#pragma once

/*
 * Looks for controllers; a system thread serves them from then on, and nobody
 * waits for it.  What is typed comes to Io as scan codes.
 */
void usb_start(void);
