/*
 * nt/ntps.h - threads and processes: the services of Ps as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/ntdef.h>
