/*
 * A host forks while eight of its threads are in the middle of everything. Each child shakes hands with inherited
 * credentials, goes on with inherited contexts, looks at those that other threads were using, and ends; none waits for a
 * lock that nobody will release.
 *
 *     fork AUTHORITY FORKS
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

#define THREADS 8
/* A child that has not ended by then hangs. */
#define SECONDS 20

static CredHandle from_store, from_store_too, of_ann, of_host;
static atomic_bool over;
static atomic_ulong rounds, lines;
/* What the threads work with, for the children to look at. */
static struct side shared[THREADS][2];

static void hear(void *argument, ULONG level, const char *line)
{
    (void)argument;
    (void)level;
    lines += line[0] != 0;
}

static bool whole_handshake(CredHandle *client_of, CredHandle *server_of)
{
    struct side client = initiator(client_of), server = acceptor(server_of);
    bool good = shake(&client, &server) && tell(&client, &server, "there") && tell(&server, &client, "and back");
    end(&client);
    end(&server);
    return good;
}

/* Odd threads seal and open, the others shake hands, acquire and free, ask, and are refused. */
static void *hammer(void *argument)
{
    size_t number = (size_t)argument;
    struct side *client = &shared[number][0], *server = &shared[number][1];
    while (!over) {
        bool good;
        if (number % 2 == 1) {
            good = tell(client, server, "hammered") && tell(server, client, "and back");
        } else if (number == 2) {
            CredHandle fresh = must_acquire("Negotiate", SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
            good = whole_handshake(&fresh, &fresh) && FreeCredentialsHandle(&fresh) == SEC_E_OK;
        } else if (number == 4) {
            struct side one = initiator(&of_host), other = acceptor(&of_host);
            shake_but_last(&one, &other);
            one.token[one.length / 2] ^= 1;
            good = answer(&other, &one) < 0;
            end(&one);
            end(&other);
        } else {
            good = whole_handshake(&of_ann, number == 0 ? &from_store : &from_store_too);
        }
        if (!CHECK(good || over)) {
            printf("thread %zu: %s\n", number, cause());
        }
        ++rounds;
    }
    return NULL;
}

/* The child: all that was inherited is of use, and nothing hangs. */
static void in_the_child(struct side *client, struct side *server, int which)
{
    alarm(SECONDS);
    bool good = tell(client, server, "inherited") && tell(server, client, "both ways");
    good = good && whole_handshake(&of_host, &of_host) && whole_handshake(&of_ann, &from_store);
    for (int thread = 0; thread < THREADS; ++thread) {
        char name[64];
        for (int side = 0; side < 2; ++side) {
            /* The thread may have ended it before the fork; it is gone or whole. */
            name_of(&shared[thread][side], name, sizeof name);
            good = good && (name[0] == 0 || strstr(name, "ann") != NULL);
        }
    }
    CredHandle fresh = must_acquire("NTLM", SECPKG_CRED_INBOUND, NULL, NULL);
    good = good && whole_handshake(&of_ann, &fresh) && FreeCredentialsHandle(&fresh) == SEC_E_OK;
    if (which % 3 == 0) {
        /* A child of the child. */
        pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS);
            _exit(whole_handshake(&of_ann, &from_store) ? 0 : 1);
        }
        int status;
        good = good && waitpid(child, &status, 0) == child && status == 0;
    }
    if (which % 2 == 0) {
        end(client);
        end(server);
        FreeCredentialsHandle(&from_store);
        exit(good ? 0 : 1);
    }
    _exit(good ? 0 : 1);
}

/* Times are in the zone of the computer, for which the C library takes a lock that no fork minds. */
static void *ask_for_times(void *argument)
{
    struct side *side = argument;
    SecPkgContext_Lifespan span;
    while (!over) {
        STATUS(QueryContextAttributesA(&side->context, SECPKG_ATTR_LIFESPAN, &span), SEC_E_OK);
    }
    return NULL;
}

static void forks_while_times_are_asked_for(struct side *side, int forks)
{
    pthread_t threads[THREADS];
    SecPkgContext_Lifespan span;
    over = false;
    for (int number = 0; number < THREADS; ++number) {
        MUST(pthread_create(&threads[number], NULL, ask_for_times, side) == 0);
    }
    for (int which = 0; which < forks; ++which) {
        CASE("times, fork %d", which);
        pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS);
            _exit(QueryContextAttributesA(&side->context, SECPKG_ATTR_LIFESPAN, &span) == SEC_E_OK ? 0 : 1);
        }
        int status = 1;
        MUST(waitpid(child, &status, 0) == child);
        MUST(status == 0);
    }
    over = true;
    for (int number = 0; number < THREADS; ++number) {
        pthread_join(threads[number], NULL);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    setvbuf(stdout, NULL, _IONBF, 0);
    STATUS(PortcullisSetLog(hear, NULL), SEC_E_OK);
    /* Before there is a store: it has its one account, and locks nobody out. */
    of_host = must_acquire("NTLM", SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
    MUST(STATUS(PortcullisSetAuthority(arguments[1]), SEC_E_OK));
    from_store = must_acquire("NTLM", SECPKG_CRED_INBOUND, NULL, NULL);
    from_store_too = must_acquire("NTLM", SECPKG_CRED_INBOUND, NULL, NULL);
    of_ann = must_acquire("NTLM", SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    struct side client = initiator(&of_host), server = acceptor(&of_host);
    MUST(shake(&client, &server));
    pthread_t threads[THREADS];
    for (size_t number = 0; number < THREADS; ++number) {
        shared[number][0] = initiator(&of_host);
        shared[number][1] = acceptor(&of_host);
        MUST(shake(&shared[number][0], &shared[number][1]));
        MUST(pthread_create(&threads[number], NULL, hammer, (void *)number) == 0);
    }
    int forks = atoi(arguments[2]);
    double slowest = 0;
    for (int which = 0; which < forks; ++which) {
        CASE("fork %d", which);
        unsigned long before = rounds;
        double begun = now();
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            in_the_child(&client, &server, which);
        }
        double took = now() - begun;
        slowest = took > slowest ? took : slowest;
        int status = 0;
        MUST(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(tell(&client, &server, "the parent goes on"));
        while (rounds < before + 50) {
            usleep(200);
        }
    }
    over = true;
    for (size_t number = 0; number < THREADS; ++number) {
        pthread_join(threads[number], NULL);
        end(&shared[number][0]);
        end(&shared[number][1]);
    }
    CHECK(lines > 0);
    /* The handlers wait for a store's answer, and never for their own patience to end. */
    CHECK(slowest < 4);
    forks_while_times_are_asked_for(&server, 40 * forks);
    end(&client);
    end(&server);
    CHECK(whole_handshake(&of_ann, &from_store_too));
    printf("%lu rounds, the slowest fork took %.3f s\n", (unsigned long)rounds, slowest);
    return check_done();
}
