/*
 * nt/ntob.h - objects and their names: the services of Ob as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/ntdef.h>
