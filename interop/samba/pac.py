"""What a ticket's PAC says, as MIT's library decrypts it and Samba's NDR reads it: `pac.py SERVICE`, with the client's
credential cache and the service's keytab in KRB5CCNAME and KRB5_KTNAME.

A line per finding: `sid S-1-…` for each SID of the logon (the account, its groups, ExtraSids, resource groups), `user`,
`domain`, `upn`, `dns`, `buffers` with their types, and `through` for each service of a constrained delegation.
"""

import sys

import gssapi
from samba.dcerpc import krb5pac
from samba.ndr import ndr_unpack


def the_pac(service):
    name = gssapi.Name(service, gssapi.NameType.kerberos_principal)
    client = gssapi.SecurityContext(name=name, mech=gssapi.MechType.kerberos, usage="initiate")
    server = gssapi.SecurityContext(usage="accept")
    server.step(client.step())
    return gssapi.raw.get_name_attribute(server.initiator_name, b"urn:mspac:").values[0]


def logon(info):
    base = info.info3.base
    print("user", base.account_name.string)
    print("domain", base.logon_domain.string)
    print(f"sid {base.domain_sid}-{base.rid}")
    for group in base.groups.rids:
        print(f"sid {base.domain_sid}-{group.rid}")
    for extra in info.info3.sids if info.info3.sidcount else []:
        print("sid", extra.sid)
    resource = info.resource_groups
    for group in resource.groups.rids if resource.groups.count else []:
        print(f"sid {resource.domain_sid}-{group.rid}")


def main():
    pac = ndr_unpack(krb5pac.PAC_DATA, the_pac(sys.argv[1]))
    print("buffers", *[buffer.type for buffer in pac.buffers])
    for buffer in pac.buffers:
        if buffer.type == krb5pac.PAC_TYPE_LOGON_INFO:
            logon(buffer.info.info)
        elif buffer.type == krb5pac.PAC_TYPE_UPN_DNS_INFO:
            print("upn", buffer.info.upn_name)
            print("dns", buffer.info.dns_domain_name)
        elif buffer.type == krb5pac.PAC_TYPE_CONSTRAINED_DELEGATION:
            for service in buffer.info.info.transited_services:
                print("through", service.string)


main()
