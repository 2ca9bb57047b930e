/*
 * nt/version.h - ring 0 of the headers: ntwalk's own version.  The one of the
 * Windows that it is like stands in KUSER_SHARED_DATA.
 */
#pragma once

#define NTWALK_VERSION "0.1"
