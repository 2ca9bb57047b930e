/*
 * machine.h - ring 3's for tests on the host: each host thread has a TEB that
 * the test supplies.
 */
#pragma once

#include <nt/pe.h>
#include <nt/teb.h>

typedef IMAGE_NT_HEADERS64 IMAGE_NT_HEADERS;

TEB *NtCurrentTeb(void);
