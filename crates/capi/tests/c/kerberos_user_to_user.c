/*
 * User-to-user: a service without a key of its own accepts by its ticket-granting ticket. The client is MIT's library.
 *
 *     kerberos_user_to_user SERVICE-CACHE CLIENT-CACHE SERVICE-PRINCIPAL        KRB5_CONFIG: the realm
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "talk.h"

#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>

static krb5_context krb5;

#define KRB5(call) MUST(check_that((call) == 0, #call, __FILE__, __LINE__))

/* 1.2.840.113554.1.2.2.3, and KERB-TGT-REQUEST in its frame. */
static const unsigned char OID[] = {0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03};
static const unsigned char ASKS[] = {0x60, 0x1a, 0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03,
                                     0x04, 0x00, 0x30, 0x0a, 0xa0, 0x03, 0x02, 0x01, 0x05, 0xa1, 0x03, 0x02, 0x01, 0x10};

static krb5_ccache cache(const char *path)
{
    char name[512];
    krb5_ccache found;
    snprintf(name, sizeof name, "FILE:%s", path);
    KRB5(krb5_cc_resolve(krb5, name, &found));
    return found;
}

/* The service's ticket-granting ticket, as a program of its own would be told it. */
static krb5_creds granting(krb5_ccache of)
{
    krb5_creds wanted = {0}, found = {0};
    KRB5(krb5_cc_get_principal(krb5, of, &wanted.client));
    KRB5(krb5_build_principal(krb5, &wanted.server, wanted.client->realm.length, wanted.client->realm.data, "krbtgt",
                              wanted.client->realm.data, NULL));
    KRB5(krb5_cc_retrieve_cred(krb5, of, 0, &wanted, &found));
    krb5_free_cred_contents(krb5, &wanted);
    return found;
}

/* A message in the mechanism's frame; its length. */
static ULONG framed(unsigned char *place, const krb5_data *message)
{
    size_t inside = sizeof OID + 2 + message->length;
    unsigned char head[4] = {0x60, 0x82, (unsigned char)(inside >> 8), (unsigned char)inside};
    memcpy(place, head, sizeof head);
    memcpy(place + 4, OID, sizeof OID);
    place[4 + sizeof OID] = 1;
    place[5 + sizeof OID] = 0;
    memcpy(place + 6 + sizeof OID, message->data, message->length);
    return (ULONG)(4 + inside);
}

static krb5_auth_context request(krb5_creds *ticket, krb5_data *message)
{
    /* The checksum of GSS-API: no bindings, MUTUAL, CONF and INTEG (RFC 4121 4.1.1). */
    static char checksum[24] = {16, [20] = 0x32};
    krb5_data data = {0, sizeof checksum, checksum};
    krb5_auth_context context = NULL;
    KRB5(krb5_auth_con_init(krb5, &context));
    KRB5(krb5_auth_con_set_req_cksumtype(krb5, context, 0x8003));
    KRB5(krb5_auth_con_setflags(krb5, context, KRB5_AUTH_CONTEXT_DO_SEQUENCE));
    KRB5(krb5_mk_req_extended(krb5, &context, AP_OPTS_USE_SESSION_KEY | AP_OPTS_MUTUAL_REQUIRED | AP_OPTS_USE_SUBKEY, &data,
                              ticket, message));
    return context;
}

int main(int count, char **arguments)
{
    MUST(count == 4);
    KRB5(krb5_init_context(&krb5));
    krb5_ccache of_service = cache(arguments[1]), of_client = cache(arguments[2]);
    krb5_creds tgt = granting(of_service), wanted = {0}, *ticket = NULL;
    KRB5(krb5_cc_get_principal(krb5, of_client, &wanted.client));
    KRB5(krb5_parse_name(krb5, arguments[3], &wanted.server));
    wanted.second_ticket = tgt.ticket;
    KRB5(krb5_get_credentials(krb5, KRB5_GC_USER_USER | KRB5_GC_NO_STORE, of_client, &wanted, &ticket));

    CASE("a credential that has a ticket-granting ticket and no keys");
    CredHandle service, inbound;
    MUST(setenv("KRB5CCNAME", arguments[1], 1) == 0 && unsetenv("KRB5_KTNAME") == 0);
    STATUS(acquire("Kerberos", SECPKG_CRED_INBOUND, NULL, NULL, NULL, &inbound), SEC_E_NO_CREDENTIALS);
    MUST(STATUS(acquire("Kerberos", SECPKG_CRED_BOTH, NULL, NULL, NULL, &service), SEC_E_OK));

    CASE("the client asks for the ticket");
    struct side side = acceptor(&service);
    STATUS(leg(&side, ASKS, sizeof ASKS), SEC_I_CONTINUE_NEEDED);
    /* KERB-TGT-REPLY in its frame, with the ticket inside. */
    CHECK(side.length > tgt.ticket.length && side.token[0] == 0x60);
    bool inside = false;
    for (ULONG at = 0; at + tgt.ticket.length <= side.length; ++at) {
        inside = inside || memcmp(side.token + at, tgt.ticket.data, tgt.ticket.length) == 0;
    }
    CHECK(inside);

    CASE("a ticket under the session key of that");
    static unsigned char token[16384];
    krb5_data message = {0, 0, NULL}, reply;
    krb5_auth_context ours = request(ticket, &message);
    ULONG length = framed(token, &message);
    STATUS(leg(&side, token, length), SEC_E_OK);
    ULONG expected = ASC_RET_USE_SESSION_KEY | ASC_RET_MUTUAL_AUTH | ASC_RET_CONFIDENTIALITY;
    CHECK((side.granted & expected) == expected);
    char name[64];
    name_of(&side, name, sizeof name);
    TEXT(name, "bob/admin@MIT.EXAMPLE");
    SecPkgContext_NativeNamesA native;
    STATUS(QueryContextAttributesA(&side.context, SECPKG_ATTR_NATIVE_NAMES, &native), SEC_E_OK);
    TEXT(native.sServerName, arguments[3]);
    STATUS(FreeContextBuffer(native.sClientName), SEC_E_OK);
    STATUS(FreeContextBuffer(native.sServerName), SEC_E_OK);
    CASE("the service proves itself");
    ULONG head = side.token[1] == 0x81 ? 3 : side.token[1] == 0x82 ? 4 : 2;
    reply = (krb5_data){0, side.length - head - sizeof OID - 2, (char *)side.token + head + sizeof OID + 2};
    krb5_ap_rep_enc_part *part = NULL;
    KRB5(krb5_rd_rep(krb5, ours, &reply, &part));
    krb5_free_ap_rep_enc_part(krb5, part);
    end(&side);
    CASE("the same again, also at once");
    side = acceptor(&service);
    STATUS(leg(&side, token, length), SEC_E_LOGON_DENIED);
    TEXT(cause(), "kerberos/replayed");
    krb5_free_data_contents(krb5, &message);
    krb5_auth_con_free(krb5, ours);
    CASE("an ordinary ticket, for which there is no key");
    CredHandle other;
    MUST(setenv("KRB5CCNAME", arguments[2], 1) == 0);
    MUST(STATUS(acquire("Kerberos", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, &other), SEC_E_OK));
    struct side client = initiator(&other);
    STATUS(leg(&client, NULL, 0), SEC_E_OK);
    side = acceptor(&service);
    STATUS(answer(&side, &client), SEC_E_NO_CREDENTIALS);
    TEXT(cause(), "kerberos/no-keytab");
    end(&client);
    STATUS(FreeCredentialsHandle(&other), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&service), SEC_E_OK);

    krb5_free_creds(krb5, ticket);
    wanted.second_ticket = (krb5_data){0, 0, NULL};
    krb5_free_cred_contents(krb5, &wanted);
    krb5_free_cred_contents(krb5, &tgt);
    krb5_cc_close(krb5, of_service);
    krb5_cc_close(krb5, of_client);
    krb5_free_context(krb5);
    return check_done();
}
