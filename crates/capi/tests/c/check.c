#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic unsigned long checks;
static _Atomic unsigned long failures;
static char current[128] = "";

static bool told(bool holds, const char *file, int line)
{
    ++checks;
    if (!holds) {
        ++failures;
        printf("%s:%d [%s] ", file, line, current);
    }
    return holds;
}

bool check_that(bool holds, const char *what, const char *file, int line)
{
    if (!told(holds, file, line)) {
        printf("not so: %s\n", what);
    }
    return holds;
}

bool check_status(int found, int expected, const char *what, const char *file, int line)
{
    if (!told(found == expected, file, line)) {
        printf("%08X and not %08X: %s\n", (unsigned)found, (unsigned)expected, what);
    }
    return found == expected;
}

bool check_fails(int found, const char *what, const char *file, int line)
{
    if (!told(found < 0, file, line)) {
        printf("%08X is no failure: %s\n", (unsigned)found, what);
    }
    return found < 0;
}

bool check_text(const char *found, const char *expected, const char *what, const char *file, int line)
{
    bool same = found != NULL && strcmp(found, expected) == 0;
    if (!told(same, file, line)) {
        printf("\"%s\" and not \"%s\": %s\n", found == NULL ? "(null)" : found, expected, what);
    }
    return same;
}

bool check_untouched(const void *place, size_t size, const char *what, const char *file, int line)
{
    const unsigned char *bytes = place;
    size_t first = 0;
    while (first < size && bytes[first] == 0xA5) {
        ++first;
    }
    if (!told(first == size, file, line)) {
        printf("byte %zu was written: %s\n", first, what);
    }
    return first == size;
}

void check_case(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(current, sizeof current, format, arguments);
    va_end(arguments);
}

void check_give_up(void)
{
    printf("gave up after %lu checks\n", checks);
    exit(1);
}

int check_done(void)
{
    printf("%lu checks, %lu failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
