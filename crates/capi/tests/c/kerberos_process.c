/*
 * What a host does while Kerberos works: its log function calls the library and forks, and it forks while threads accept.
 *
 *     kerberos_process FOLDER FORKS        no PORTCULLIS_CONFIG; FOLDER as tests/kerberos/realm.rs fills it
 */
#define _GNU_SOURCE
#include "check.h"
#include "realm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Who has not ended by then hangs. */
#define SECONDS 100
#define THREADS 4

static CredHandle accepts, alice;

static bool whole_handshake(void)
{
    struct side client = initiator(&alice), server = acceptor(&accepts);
    client.wants |= ISC_REQ_MUTUAL_AUTH;
    bool good = shake(&client, &server) && tell(&client, &server, "there") && tell(&server, &client, "and back");
    end(&client);
    end(&server);
    return good;
}

/* A child that works by itself; whether it did. */
static bool forked(void)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        _exit(whole_handshake() ? 0 : 1);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct heard {
    unsigned lines, good;
    bool busy, forks;
};

static void hear(void *argument, ULONG level, const char *line)
{
    struct heard *heard = argument;
    (void)level;
    if (heard->busy || strstr(line, "keytab") == NULL) {
        return;
    }
    heard->busy = true;
    ++heard->lines;
    CredHandle other;
    bool good = whole_handshake() &&
                acquire("Negotiate", SECPKG_CRED_INBOUND, NULL, NULL, NULL, &other) == SEC_E_OK &&
                FreeCredentialsHandle(&other) == SEC_E_OK && (!heard->forks || forked());
    heard->good += good;
    heard->busy = false;
}

static void lines_in_the_way(void)
{
    static unsigned char bytes[65536];
    for (int forks = 0; forks < 2; ++forks) {
        CASE("the log function shakes hands%s", forks ? " and forks" : "");
        struct heard heard = {.forks = forks};
        write_file("changing.keytab", bytes, read_file("many.keytab", bytes, sizeof bytes));
        accepts = service("Kerberos", "changing.keytab");
        STATUS(PortcullisSetKeytab(file("changing.keytab")), SEC_E_OK);
        CHECK(whole_handshake());
        STATUS(PortcullisSetLog(hear, &heard), SEC_E_OK);
        /* It is looked at once a second: read anew in the middle of a handshake, and told. The keys that it had stay good. */
        write_file("changing.keytab", bytes, read_file("wrong.keytab", bytes, sizeof bytes));
        nanosleep(&(struct timespec){1, 200000000}, NULL);
        CHECK(whole_handshake());
        CHECK(heard.lines > 0 && heard.good == heard.lines);
        /* And by a call that names it. */
        write_file("changing.keytab", bytes, read_file("many.keytab", bytes, sizeof bytes));
        STATUS(PortcullisSetKeytab(file("changing.keytab")), SEC_E_OK);
        CHECK(whole_handshake());
        STATUS(PortcullisSetLog(NULL, NULL), SEC_E_OK);
        CHECK(heard.lines > 1 && heard.good == heard.lines);
        STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    }
}

static atomic_bool stop;
static atomic_uint bad, good;

static void *works(void *argument)
{
    (void)argument;
    while (!stop) {
        if (whole_handshake()) {
            ++good;
        } else {
            ++bad;
        }
    }
    return NULL;
}

static void forks_between_threads(int forks)
{
    CASE("%d forks while %d threads shake hands", forks, THREADS);
    accepts = service("Kerberos", "http.keytab");
    pthread_t threads[THREADS];
    for (int at = 0; at < THREADS; ++at) {
        MUST(pthread_create(&threads[at], NULL, works, NULL) == 0);
    }
    for (int at = 0; at < forks; ++at) {
        CHECK(forked());
    }
    stop = true;
    for (int at = 0; at < THREADS; ++at) {
        MUST(pthread_join(threads[at], NULL) == 0);
    }
    CHECK(bad == 0 && good > 0);
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
}

/* Of threads that bring the same token one is let in. */
static struct side once;
static atomic_uint let_in, replayed;

static void *brings(void *argument)
{
    (void)argument;
    struct side server = acceptor(&accepts);
    if (leg(&server, once.token, once.length) == SEC_E_OK) {
        ++let_in;
    } else if (server.status == SEC_E_LOGON_DENIED && strcmp(cause(), "kerberos/replayed") == 0) {
        ++replayed;
    }
    end(&server);
    return NULL;
}

static void one_token_many_threads(void)
{
    CASE("one token, sixteen threads");
    accepts = service("Kerberos", "http.keytab");
    for (int round = 0; round < 20; ++round) {
        once = initiator(&alice);
        leg(&once, NULL, 0);
        let_in = 0;
        replayed = 0;
        pthread_t threads[16];
        for (int at = 0; at < 16; ++at) {
            MUST(pthread_create(&threads[at], NULL, brings, NULL) == 0);
        }
        for (int at = 0; at < 16; ++at) {
            MUST(pthread_join(threads[at], NULL) == 0);
        }
        CHECK(let_in == 1 && replayed == 15);
        end(&once);
    }
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    alarm(SECONDS);
    folder_is(arguments[1]);
    alice = client_of("Kerberos", "alice");
    lines_in_the_way();
    one_token_many_threads();
    forks_between_threads(atoi(arguments[2]));
    STATUS(FreeCredentialsHandle(&alice), SEC_E_OK);
    return check_done();
}
