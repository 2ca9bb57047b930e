/*
 * nt/ntex.h - events, semaphores, mutants, timers, waits: the services of Ex and Ob that are about dispatcher objects as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/ntdef.h>
