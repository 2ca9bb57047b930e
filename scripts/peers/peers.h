/*
 * peers.h - the 64-bit program's private header: one function per chapter,
 * each of which tells its figures.
 */
#pragma once

#include "abi64.h"
#include "measure.h"

void show_calls(void);
void show_signals(void);
void show_memory(void);
void show_threads(void);
