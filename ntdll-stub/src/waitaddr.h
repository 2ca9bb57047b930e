/*
 * waitaddr.h - ntdll's private word to waitaddr.c.
 */
#pragma once

#include <ntdll.h>

/* Once, before anybody waits. */
void wait_initialize(void);
