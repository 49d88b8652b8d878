#!/usr/bin/env python3
"""Reads PACs with Samba's decoder and says what is in them, in the words of the pac-*.txt beside this file; and makes some.

Needs Samba's Python modules of version 4.20 or newer (Debian 13: apt-get install python3-samba).

  pac-samba.py make FOLDER      writes pac-samba-*.txt: PACs that Samba's encoder made
  pac-samba.py read FILE...     writes what Samba reads in the pac, claims or logon-info of each file behind it, anew
"""
import sys

import samba.dcerpc.claims as claims
import samba.dcerpc.krb5pac as krb5pac
import samba.dcerpc.lsa as lsa
import samba.dcerpc.netlogon as netlogon
import samba.dcerpc.samr as samr
import samba.dcerpc.security as security
from samba.ndr import ndr_pack, ndr_unpack

SIGNATURES = {6: "server-signature", 7: "kdc-signature", 16: "ticket-signature", 19: "full-signature"}


def describe(pac):
    """Each value in the PAC, a line each."""
    raw = ndr_unpack(krb5pac.PAC_DATA_RAW, pac)
    for buffer in raw.buffers:
        content = bytes(buffer.info.remaining)[: buffer.ndr_size]
        yield f"buffer: {int(buffer.type):#x} {len(content)}"
    read = ndr_unpack(krb5pac.PAC_DATA, pac)
    for buffer, typed in zip(raw.buffers, read.buffers):
        kind, info = int(buffer.type), typed.info
        content = bytes(buffer.info.remaining)[: buffer.ndr_size]
        if kind == 1:
            yield from logon_info(info.info)
        elif kind in SIGNATURES:
            yield f"{SIGNATURES[kind]}: {signed(info.type)} {bytes(info.signature).hex()}"
        elif kind == 10:
            yield f"client-id: {info.logon_time}"
            yield f"client-name: {info.account_name}"
        elif kind == 11:
            yield f"proxy-target: {text(info.info.proxy_target)}"
            for service in (info.info.transited_services or [])[: info.info.num_transited_services]:
                yield f"transited: {text(service)}"
        elif kind == 12:
            yield f"upn: {info.upn_name or ''}"
            yield f"dns-domain: {info.dns_domain_name or ''}"
            yield f"upn-flags: {info.flags}"
            if info.flags & krb5pac.PAC_UPN_DNS_FLAG_HAS_SAM_NAME_AND_SID:
                yield f"sam-name: {info.ex.samaccountname}"
                yield f"upn-sid: {info.ex.objectsid}"
        elif kind in (13, 15):
            yield from claims_of({13: "client", 15: "device"}[kind], bytes(info.remaining))
        elif kind == 14:
            yield from device_info(info.info)
        elif kind == 17:
            yield f"attributes: {info.flags_length} {info.flags}"
        elif kind == 18:
            yield f"requester: {info.sid}"


def signed(number):
    return number - (1 << 32) if number >> 31 else number


def text(string):
    return string.string or ""


def logon_info(info):
    base = info.info3.base
    for key, name in (
        ("logon-time", "logon_time"),
        ("logoff-time", "logoff_time"),
        ("kick-off-time", "kickoff_time"),
        ("password-last-set", "last_password_change"),
        ("password-can-change", "allow_password_change"),
        ("password-must-change", "force_password_change"),
    ):
        yield f"{key}: {getattr(base, name)}"
    for key, name in (
        ("effective-name", "account_name"),
        ("full-name", "full_name"),
        ("logon-script", "logon_script"),
        ("profile-path", "profile_path"),
        ("home-directory", "home_directory"),
        ("home-directory-drive", "home_drive"),
    ):
        yield f"{key}: {text(getattr(base, name))}"
    yield f"counts: {base.logon_count} {base.bad_password_count}"
    yield f"user-id: {base.rid}"
    yield f"primary-group-id: {base.primary_gid}"
    yield from rids("group", base.groups)
    yield f"user-flags: {base.user_flags}"
    yield f"user-session-key: {bytes(base.key.key).hex()}"
    yield f"logon-server: {text(base.logon_server)}"
    yield f"logon-domain-name: {text(base.logon_domain)}"
    yield f"logon-domain-sid: {base.domain_sid}"
    yield f"user-account-control: {base.acct_flags}"
    yield f"sub-auth-status: {base.sub_auth_status}"
    yield f"last-logons: {base.last_successful_logon} {base.last_failed_logon} {base.failed_logon_count}"
    yield from sids("extra-sid", info.info3.sids, info.info3.sidcount)
    yield f"resource-group-domain-sid: {info.resource_groups.domain_sid}"
    yield from rids("resource-group", info.resource_groups.groups)


def rids(key, groups):
    for group in (groups.rids or [])[: groups.count]:
        yield f"{key}: {group.rid} {group.attributes}"


def sids(key, sids, count):
    for sid in (sids or [])[:count]:
        yield f"{key}: {sid.sid} {sid.attributes}"


def device_info(info):
    yield f"device: {info.rid} {info.primary_gid} {info.domain_sid}"
    yield from rids("device-group", info.groups)
    yield from sids("device-extra-sid", info.sids, info.sid_count)
    for domain in (info.domain_groups or [])[: info.domain_group_count]:
        yield f"device-domain: {domain.domain_sid}"
        yield from rids("device-domain-group", domain.groups)


def claims_of(whose, content):
    metadata = ndr_unpack(claims.CLAIMS_SET_METADATA_NDR, content).claims.metadata
    compression, length = int(metadata.compression_format), metadata.uncompressed_claims_set_size
    yield f"{whose}-claims: {metadata.claims_set_size} {compression} {length}"
    # Samba unpacks a compressed set by itself; Portcullis hands it on as it is.
    if compression != claims.CLAIMS_COMPRESSION_FORMAT_NONE:
        return
    for array in metadata.claims_set.claims.claims.claims_arrays:
        for claim in array.claim_entries:
            yield f"{whose}-claim: {int(array.claims_source_type)} {claim.id} {int(claim.type)}"
            for value in claim.values.values:
                yield f"{whose}-claim-value: {value}"


def string(value, kind=lsa.String):
    made = kind()
    made.string = value
    return made


def rid_array(pairs):
    array = samr.RidWithAttributeArray()
    array.count = len(pairs)
    array.rids = [with_attributes(samr.RidWithAttribute(), "rid", *pair) for pair in pairs]
    return array


def with_attributes(made, name, value, attributes):
    setattr(made, name, value)
    made.attributes = attributes
    return made


def sid_array(pairs):
    return [with_attributes(netlogon.netr_SidAttr(), "sid", security.dom_sid(sid), attr) for sid, attr in pairs]


def buffer(kind, info):
    made = krb5pac.PAC_BUFFER()
    made.type = kind
    made.info = info
    return made


def signature(kind, number, content):
    made = krb5pac.PAC_SIGNATURE_DATA()
    made.type = number & 0xFFFFFFFF
    made.signature = bytes(content)
    return buffer(kind, made)


def claim(name, kind, holder, values):
    entry = claims.CLAIM_ENTRY()
    entry.id = name
    entry.type = kind
    held = holder()
    held.values = values
    held.value_count = len(values)
    entry.values = held
    return entry


def claims_buffer(kind, arrays):
    made, listed = claims.CLAIMS_SET(), []
    for source, entries in arrays:
        array = claims.CLAIMS_ARRAY()
        array.claims_source_type = source
        array.claim_entries = entries
        array.claims_count = len(entries)
        listed.append(array)
    made.claims_arrays = listed
    made.claims_array_count = len(arrays)
    ctr = claims.CLAIMS_SET_CTR()
    ctr.claims = made
    ndr = claims.CLAIMS_SET_NDR()
    ndr.claims = ctr
    metadata = claims.CLAIMS_SET_METADATA()
    metadata.claims_set = ndr
    metadata.compression_format = claims.CLAIMS_COMPRESSION_FORMAT_NONE
    outer_ctr = claims.CLAIMS_SET_METADATA_CTR()
    outer_ctr.metadata = metadata
    outer = claims.CLAIMS_SET_METADATA_NDR()
    outer.claims = outer_ctr
    blob = krb5pac.DATA_BLOB_REM()
    blob.remaining = ndr_pack(outer)
    return buffer(kind, blob)


DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
RESOURCES = "S-1-5-21-2105230437-1177238915-1801674531"
AUTHTIME = 133500000000000000


def full_logon_info():
    base = netlogon.netr_SamBaseInfo()
    base.logon_time = AUTHTIME
    base.logoff_time = 0x7FFFFFFFFFFFFFFF
    base.kickoff_time = 0x7FFFFFFFFFFFFFFE
    base.last_password_change = AUTHTIME - 10_000_000
    base.allow_password_change = AUTHTIME - 9_000_000
    base.force_password_change = AUTHTIME + 36_288_000_000_000
    base.account_name = string("jörg")
    base.full_name = string("Jörg Groß 𝄞")
    base.logon_script = string("login.cmd")
    base.profile_path = string(r"\\files\profiles\joerg")
    base.home_directory = string(r"\\files\home\joerg")
    base.home_drive = string("H:")
    base.logon_count = 4180
    base.bad_password_count = 3
    base.rid = 1105
    base.primary_gid = 513
    base.groups = rid_array([(513, 7), (512, 7), (1200, 16), (1201, 3), (1202, 0x2000000F)])
    base.user_flags = 0x220
    base.logon_server = string("DC1", lsa.StringLarge)
    base.logon_domain = string("CORP", lsa.StringLarge)
    base.domain_sid = security.dom_sid(DOMAIN)
    base.acct_flags = 0x210
    base.sub_auth_status = 9
    base.last_successful_logon = 11
    base.last_failed_logon = 12
    base.failed_logon_count = 13
    extra = [("S-1-18-1", 7), ("S-1-5-21-0-0-0-497", 7), ("S-1-5-21-1-2-3-4-5-6-7-8-9-10-11-12-13-14", 7), ("S-1-2", 16)]
    info3 = netlogon.netr_SamInfo3()
    info3.base = base
    info3.sids = sid_array(extra)
    info3.sidcount = len(extra)
    resources = krb5pac.PAC_DOMAIN_GROUP_MEMBERSHIP()
    resources.domain_sid = security.dom_sid(RESOURCES)
    resources.groups = rid_array([(1110, 0x20000007), (1111, 0x20000010)])
    info = krb5pac.PAC_LOGON_INFO()
    info.info3 = info3
    info.resource_groups = resources
    ctr = krb5pac.PAC_LOGON_INFO_CTR()
    ctr.info = info
    return buffer(1, ctr)


def client_info(name):
    made = krb5pac.PAC_LOGON_NAME()
    made.logon_time = AUTHTIME
    made.account_name = name
    return buffer(10, made)


def names():
    made = krb5pac.PAC_UPN_DNS_INFO()
    made.upn_name = "joerg@corp.example"
    made.dns_domain_name = "CORP.EXAMPLE"
    made.flags = krb5pac.PAC_UPN_DNS_FLAG_HAS_SAM_NAME_AND_SID | krb5pac.PAC_UPN_DNS_FLAG_CONSTRUCTED
    extra = krb5pac.PAC_UPN_DNS_INFO_SAM_NAME_AND_SID()
    extra.samaccountname = "jörg"
    extra.objectsid = security.dom_sid(f"{DOMAIN}-1105")
    made.ex = extra
    return buffer(12, made)


def delegation():
    made = krb5pac.PAC_CONSTRAINED_DELEGATION()
    made.proxy_target = string("HTTP/back.corp.example")
    services = ["host/front.corp.example@CORP.EXAMPLE", "HTTP/middle@CORP.EXAMPLE"]
    made.transited_services = [string(service) for service in services]
    made.num_transited_services = len(services)
    ctr = krb5pac.PAC_CONSTRAINED_DELEGATION_CTR()
    ctr.info = made
    return buffer(11, ctr)


def device():
    made = krb5pac.PAC_DEVICE_INFO()
    made.rid = 1300
    made.primary_gid = 515
    made.domain_sid = security.dom_sid(DOMAIN)
    made.groups = rid_array([(515, 7), (1301, 7)])
    made.sids = sid_array([("S-1-18-1", 7)])
    made.sid_count = 1
    domains = []
    for sid, pairs in ((RESOURCES, [(1400, 0x20000007), (1401, 0x20000007)]), ("S-1-5-21-0-0-0", [(497, 7)])):
        domain = krb5pac.PAC_DOMAIN_GROUP_MEMBERSHIP()
        domain.domain_sid = security.dom_sid(sid)
        domain.groups = rid_array(pairs)
        domains.append(domain)
    made.domain_groups = domains
    made.domain_group_count = len(domains)
    ctr = krb5pac.PAC_DEVICE_INFO_CTR()
    ctr.info = made
    return buffer(14, ctr)


def attributes(flags):
    made = krb5pac.PAC_ATTRIBUTES_INFO()
    made.flags_length = 2
    made.flags = flags
    return buffer(17, made)


def requester():
    made = krb5pac.PAC_REQUESTER_SID()
    made.sid = security.dom_sid(f"{DOMAIN}-1105")
    return buffer(18, made)


def pac(buffers):
    made = krb5pac.PAC_DATA()
    made.version = 0
    made.buffers = buffers
    made.num_buffers = len(buffers)
    return ndr_pack(made)


def samples():
    whose = [
        claim("ad://ext/department", claims.CLAIM_TYPE_STRING, claims.CLAIM_STRING, ["Büro", "", "Keller"]),
        claim("ad://ext/level", claims.CLAIM_TYPE_INT64, claims.CLAIM_INT64, [-1, 1 << 40]),
        claim("ad://ext/rights", claims.CLAIM_TYPE_UINT64, claims.CLAIM_UINT64, [(1 << 64) - 1]),
        claim("ad://ext/local", claims.CLAIM_TYPE_BOOLEAN, claims.CLAIM_UINT64, [1, 0]),
    ]
    certificate = [claim("cert", claims.CLAIM_TYPE_UINT64, claims.CLAIM_UINT64, [5])]
    everything = [
        full_logon_info(),
        claims_buffer(13, [(1, whose), (2, certificate)]),
        claims_buffer(15, [(1, [claim("ad://ext/os", claims.CLAIM_TYPE_STRING, claims.CLAIM_STRING, ["x"])])]),
        device(),
        client_info("jörg"),
        names(),
        delegation(),
        attributes(1),
        requester(),
        signature(6, 16, range(12)),
        signature(7, -138, range(16, 32)),
        signature(16, 19, range(32, 48)),
        signature(19, 20, range(48, 72)),
    ]
    yield "everything", "A buffer of each type that a service's ticket can have", pac(everything)
    bare = [
        client_info("host/a.example"),
        signature(6, 20, range(24)),
        signature(7, 20, range(24, 48)),
        attributes(2),
        signature(16, 20, range(48, 72)),
    ]
    yield "bare", "What a KDC that knows no domain puts into a PAC: no logon information", pac(bare)
    rodc = [client_info("jörg"), signature(6, 16, range(12)), signature(7, 16, [*range(12, 24), 0x34, 0x12])]
    yield "rodc", "The KDC's signature names the key of a read-only domain controller, 0x1234", pac(rodc)


def write(path, head, content):
    with open(path, "w", encoding="utf-8") as file:
        file.write(head)
        digits = content.hex()
        for at in range(0, len(digits), 100):
            file.write(f"pac: {digits[at : at + 100]}\n")
        file.write("\n# What Samba reads (pac-samba.py).\n")
        for line in describe(content):
            file.write(line.rstrip() + "\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    content = bytes.fromhex("".join(line.removeprefix("pac: ") for line in lines if line.startswith("pac: ")))
    first = next(number for number, line in enumerate(lines) if line.startswith("pac: "))
    write(path, "\n".join(lines[:first]) + "\n", content)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        for name, shows, content in samples():
            head = f"# {shows}.\n# Source: made by Samba's encoder (pac-samba.py).\n"
            write(f"{sys.argv[2]}/pac-samba-{name}.txt", head, content)
    else:
        for path in sys.argv[2:]:
            read(path)
