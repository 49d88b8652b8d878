/*
 * An audit log that cannot be written: nobody is let in whom it could not name, no password is changed, and forks in the
 * middle of that wait for nothing.
 *
 *     unwritable DATA FORKS       the audit log in DATA is /dev/full; no PORTCULLIS_CONFIG
 *     unwritable DATA             later, when it can be written: all is as before
 */
#define _GNU_SOURCE
#include "check.h"
#include "talk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 60
#define THREADS 4
#define UNWRITABLE "host/audit-unwritable"

static CredHandle accepts, of_ann, of_ben, of_nobody;
static atomic_bool over;
static atomic_ulong failed, told;
/* Whether the log's function forks, once. */
static atomic_bool forks_next;
static atomic_int forked = -1;

static SECURITY_STATUS log_on(CredHandle *initiates)
{
    struct side client = initiator(initiates), server = acceptor(&accepts);
    shake_but_last(&client, &server);
    SECURITY_STATUS status = answer(&server, &client);
    if (status < 0) {
        CHECK(server.length == 0 && !tell(&client, &server, "nobody"));
    }
    end(&client);
    end(&server);
    return status;
}

/* Called where the line could not be written: within the store. */
static void hear(void *argument, ULONG level, const char *line)
{
    (void)argument;
    if (level != PORTCULLIS_LOG_ERROR || strstr(line, "the audit log cannot be written") == NULL) {
        return;
    }
    ++told;
    if (atomic_exchange(&forks_next, false)) {
        pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS / 2);
            _exit(log_on(&of_ann) == SEC_E_NO_AUTHENTICATING_AUTHORITY ? 0 : 1);
        }
        int status = 1;
        waitpid(child, &status, 0);
        forked = status;
    }
}

static void *fail(void *unused)
{
    (void)unused;
    while (!over) {
        STATUS(log_on(&of_nobody), SEC_E_LOGON_DENIED);
        ++failed;
    }
    return NULL;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* How long a fork takes, in seconds; its child is `child`. */
static double fork_takes(pid_t *child)
{
    double begun = now();
    *child = fork();
    return now() - begun;
}

static void forks(int forks)
{
    pthread_t threads[THREADS];
    double slowest = 0;
    for (int number = 0; number < THREADS; ++number) {
        MUST(pthread_create(&threads[number], NULL, fail, NULL) == 0);
    }
    for (int which = 0; which < forks; ++which) {
        CASE("fork %d", which);
        unsigned long before = failed;
        pid_t child;
        double took = fork_takes(&child);
        MUST(child >= 0);
        if (child == 0) {
            alarm(SECONDS / 2);
            /* Nobody is inside the store any more, whoever was. */
            pid_t grandchild;
            double again = fork_takes(&grandchild);
            if (grandchild == 0) {
                _exit(log_on(&of_ann) == SEC_E_NO_AUTHENTICATING_AUTHORITY ? 0 : 1);
            }
            int status = 1;
            waitpid(grandchild, &status, 0);
            bool good = status == 0 && again < 1 && log_on(&of_ann) == SEC_E_NO_AUTHENTICATING_AUTHORITY;
            _exit(good && strcmp(cause(), UNWRITABLE) == 0 ? 0 : 1);
        }
        slowest = took > slowest ? took : slowest;
        int status = 1;
        MUST(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        while (failed == before) {
            usleep(200);
        }
    }
    over = true;
    for (int number = 0; number < THREADS; ++number) {
        pthread_join(threads[number], NULL);
    }
    CHECK(slowest < 1);
    printf("%lu failures, the slowest fork took %.3f s\n", (unsigned long)failed, slowest);
}

int main(int count, char **arguments)
{
    char source[512];
    MUST(count >= 2);
    setvbuf(stdout, NULL, _IONBF, 0);
    alarm(2 * SECONDS);
    snprintf(source, sizeof source, "sqlite:%s", arguments[1]);
    MUST(STATUS(PortcullisSetAuthority(source), SEC_E_OK));
    of_ann = must_acquire("NTLM", SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    of_ben = must_acquire("NTLM", SECPKG_CRED_OUTBOUND, BEN, BEN_PASSWORD);
    of_nobody = must_acquire("NTLM", SECPKG_CRED_OUTBOUND, "nobody", ANN_PASSWORD);
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        accepts = must_acquire(packages[at], SECPKG_CRED_INBOUND, NULL, NULL);
        if (count == 2) {
            CASE("%s: afterwards", packages[at]);
            STATUS(log_on(&of_ann), SEC_E_OK);
            STATUS(log_on(&of_ben), SEC_E_OK);
        } else {
            CASE("%s: nobody is let in", packages[at]);
            STATUS(PortcullisSetLog(hear, NULL), SEC_E_OK);
            STATUS(log_on(&of_ann), SEC_E_NO_AUTHENTICATING_AUTHORITY);
            TEXT(cause(), UNWRITABLE);
            CHECK(told > 0);
            CASE("%s: no password is changed", packages[at]);
            STATUS(ChangeAccountPasswordA(packages[at], "", BEN, BEN_PASSWORD, "Another-staple 1", FALSE, 0, NULL),
                   SEC_E_NO_AUTHENTICATING_AUTHORITY);
            TEXT(cause(), UNWRITABLE);
            STATUS(log_on(&of_ben), SEC_E_NO_AUTHENTICATING_AUTHORITY);
            TEXT(cause(), UNWRITABLE);
            CASE("%s: the log's function forks within the store", packages[at]);
            forks_next = true;
            double begun = now();
            STATUS(log_on(&of_ann), SEC_E_NO_AUTHENTICATING_AUTHORITY);
            CHECK(now() - begun < 2 && forked == 0);
            forked = -1;
            over = false;
            forks(atoi(arguments[2]));
        }
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    }
    STATUS(FreeCredentialsHandle(&of_ann), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&of_ben), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&of_nobody), SEC_E_OK);
    return check_done();
}
