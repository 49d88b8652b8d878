/* What the programs here check with: a failure is told with its place, counted, and the program goes on. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)
/* A call's status, exactly. */
#define STATUS(call, expected) check_status((call), (expected), #call, __FILE__, __LINE__)
/* A call's status is some failure. */
#define FAILS(call) check_fails((call), #call, __FILE__, __LINE__)
#define TEXT(found, expected) check_text((found), (expected), #found, __FILE__, __LINE__)
/* Memory that was filled with 0xA5, and must be that still. */
#define UNTOUCHED(place) check_untouched(&(place), sizeof(place), #place, __FILE__, __LINE__)
/* Names the cases that follow. */
#define CASE(...) check_case(__VA_ARGS__)
/* Without it nothing else makes sense. */
#define MUST(condition) (CHECK(condition) ? (void)0 : check_give_up())

bool check_that(bool holds, const char *what, const char *file, int line);
bool check_status(int found, int expected, const char *what, const char *file, int line);
bool check_fails(int found, const char *what, const char *file, int line);
bool check_text(const char *found, const char *expected, const char *what, const char *file, int line);
bool check_untouched(const void *place, size_t size, const char *what, const char *file, int line);
void check_case(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void check_give_up(void);
/* What main returns; says how many checks there were. */
int check_done(void);

/* Fills a variable with 0xA5. */
#define FILL(place) memset(&(place), 0xA5, sizeof(place))

#endif
