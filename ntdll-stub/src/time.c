/*
 * time.c - NT's time (100 ns units since 1601) and the calendar.
 */
#include <ntdll.h>

#define SECOND          10000000LL
#define DAY             (86400 * SECOND)
#define DAYS_4_YEARS    1461
#define DAYS_100_YEARS  36524
#define DAYS_400_YEARS  146097
#define SECONDS_TO_1970 11644473600LL
#define MONDAY          1                       /* 1601 began with one */

static BOOLEAN is_leap(ULONG year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static ULONG days_before(ULONG month, BOOLEAN leap)
{
    static const USHORT days[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243,
                                   273, 304, 334, 365 };

    return days[month] + (leap && month > 1);
}

static void split_days(ULONG days, TIME_FIELDS *fields)
{
    ULONG year = 1601, part, month = 0;
    BOOLEAN leap;

    year += days / DAYS_400_YEARS * 400;
    days %= DAYS_400_YEARS;
    part = days / DAYS_100_YEARS;
    part -= part == 4;                          /* day 366 of the 400th year */
    year += part * 100;
    days -= part * DAYS_100_YEARS;
    year += days / DAYS_4_YEARS * 4;
    days %= DAYS_4_YEARS;
    part = days / 365;
    part -= part == 4;
    year += part;
    days -= part * 365;
    leap = is_leap(year);
    while (days >= days_before(month + 1, leap))
        month++;
    fields->Year = year;
    fields->Month = month + 1;
    fields->Day = days - days_before(month, leap) + 1;
}

void NTAPI RtlTimeToTimeFields(const LARGE_INTEGER *Time, TIME_FIELDS *Fields)
{
    ULONGLONG time = Time->QuadPart;
    ULONG days = time / DAY, seconds = time % DAY / SECOND;

    split_days(days, Fields);
    Fields->Weekday = (days + MONDAY) % 7;
    Fields->Hour = seconds / 3600;
    Fields->Minute = seconds / 60 % 60;
    Fields->Second = seconds % 60;
    Fields->Milliseconds = time % SECOND / 10000;
}

BOOLEAN NTAPI RtlTimeFieldsToTime(const TIME_FIELDS *Fields,
                                  LARGE_INTEGER *Time)
{
    BOOLEAN leap = is_leap(Fields->Year);
    ULONG years = Fields->Year - 1601, days;

    if (Fields->Year < 1601 || Fields->Month < 1 || Fields->Month > 12 ||
        Fields->Day < 1 ||
        Fields->Day > (LONG)(days_before(Fields->Month, leap) -
                             days_before(Fields->Month - 1, leap)) ||
        Fields->Hour < 0 || Fields->Hour > 23 ||
        Fields->Minute < 0 || Fields->Minute > 59 ||
        Fields->Second < 0 || Fields->Second > 59 ||
        Fields->Milliseconds < 0 || Fields->Milliseconds > 999)
        return FALSE;
    days = years * 365 + years / 4 - years / 100 + years / 400 +
           days_before(Fields->Month - 1, leap) + Fields->Day - 1;
    Time->QuadPart = days * DAY +
                     (Fields->Hour * 3600 + Fields->Minute * 60 +
                      Fields->Second) * SECOND +
                     Fields->Milliseconds * 10000;
    return TRUE;
}

BOOLEAN NTAPI RtlTimeToSecondsSince1970(const LARGE_INTEGER *Time,
                                        ULONG *Seconds)
{
    LONGLONG seconds = Time->QuadPart / SECOND - SECONDS_TO_1970;

    if (seconds < 0 || seconds > 0xFFFFFFFFLL)
        return FALSE;
    *Seconds = seconds;
    return TRUE;
}

void NTAPI RtlSecondsSince1970ToTime(ULONG Seconds, LARGE_INTEGER *Time)
{
    Time->QuadPart = (Seconds + SECONDS_TO_1970) * SECOND;
}
