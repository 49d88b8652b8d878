/*
 * A host forks while threads are in the middle of TLS: each child shakes hands with inherited credentials, and goes on with
 * an inherited stream.
 *
 *     schannel_fork FOLDER FORKS
 */
#define _GNU_SOURCE
#include "check.h"
#include "stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static CredHandle server, client;
static atomic_bool over;
static atomic_ulong rounds;

static bool whole(void)
{
    struct end *c = client_end(&client), *s = server_end(&server);
    bool good = shake_hands(c, s) && tell_over(c, s, "there") && tell_over(s, c, "and back");
    SecPkgContext_Bindings bindings;
    for (int at = 0; at < 20 && good; ++at) {
        good = tell_over(c, s, "more") &&
               QueryContextAttributesA(&s->context, SECPKG_ATTR_UNIQUE_BINDINGS, &bindings) == SEC_E_OK &&
               FreeContextBuffer(bindings.Bindings) == SEC_E_OK;
    }
    give_up(c);
    give_up(s);
    return good;
}

static void *hammer(void *argument)
{
    (void)argument;
    while (!over) {
        CHECK(whole());
        ++rounds;
    }
    return NULL;
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    folder = arguments[1];
    server = server_of("server", NULL, 0);
    client = client_of(NULL, "ca.pem", 0);
    pthread_t threads[4];
    for (int at = 0; at < 4; ++at) {
        MUST(pthread_create(&threads[at], NULL, hammer, NULL) == 0);
    }
    struct end *c = client_end(&client), *s = server_end(&server);
    MUST(shake_hands(c, s));
    for (int which = 0; which < atoi(arguments[2]); ++which) {
        CASE("fork %d", which);
        unsigned long before = rounds;
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            _exit(tell_over(c, s, "inherited") && tell_over(s, c, "both ways") && whole() ? 0 : 1);
        }
        int status = 1;
        MUST(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(tell_over(c, s, "the parent goes on"));
        while (rounds < before + 3) {
            usleep(200);
        }
    }
    over = true;
    for (int at = 0; at < 4; ++at) {
        pthread_join(threads[at], NULL);
    }
    give_up(c);
    give_up(s);
    STATUS(FreeCredentialsHandle(&client), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&server), SEC_E_OK);
    return check_done();
}
