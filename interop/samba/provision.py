"""Makes an Active Directory domain of Samba's in a folder: `provision.py FOLDER`, by anybody.

The domain is AD.EXAMPLE (NetBIOS AD), its controller dc1. The folder is for `samba` with the KDC alone, on ports that
whoever starts it adds to `smb.conf`: nothing outside it is touched, and neither root nor a namespace is needed.
Every ordinary account has the password `Us3r.Passw0rd`, every service's `Svc.Passw0rd1`.

    nested    gg-inner < gg-outer < ug-all < dl-nested; dl-direct; a distribution list; Backup Operators
    plain     no group but Domain Users
    crowded   a hundred and twenty groups
    jürgen    a name beyond ASCII
    disabled  may not log on
    WS1$      a computer
    svc-web   AES keys, HTTP/localhost, HTTP/web.ad.example, host/web.ad.example
    svc-rc4   no key but RC4, HTTP/rc4.ad.example
    svc-deleg AES keys, HTTP/deleg.ad.example; may act as anybody towards HTTP/localhost (constrained delegation, with
              protocol transition)

`keytabs/ACCOUNT.keytab` holds the keys of a service under its account's name and each of its services'.
"""

import logging
import subprocess
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1]).resolve()
CONFIG, DATABASE = FOLDER / "smb.conf", FOLDER / "private/sam.ldb"
REALM, DOMAIN, BASE = "AD.EXAMPLE", "AD", "DC=ad,DC=example"
SETTINGS = {
    "realm": REALM,
    "workgroup": DOMAIN,
    "netbios name": "DC1",
    "server role": "active directory domain controller",
    "server services": "kdc",
    "interfaces": "lo",
    "bind interfaces only": "yes",
    "lock directory": FOLDER / "lock",
    "state directory": FOLDER / "state",
    "cache directory": FOLDER / "cache",
    "pid directory": FOLDER / "run",
    "private dir": FOLDER / "private",
    "ncalrpc dir": FOLDER / "run/ncalrpc",
    "binddns dir": FOLDER / "bind-dns",
    "winbindd socket directory": FOLDER / "run/winbindd",
    "ntp signd socket directory": FOLDER / "run/ntp",
}
USER, SERVICE = "Us3r.Passw0rd", "Svc.Passw0rd1"


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")


def provision():
    from samba.auth import system_session
    from samba.provision import DS_DOMAIN_FUNCTION_2008_R2, provision

    lines = ["[global]", *(f"{name} = {value}" for name, value in SETTINGS.items())]
    # A controller must share these, even where nobody serves them.
    lines += ["[sysvol]", f"path = {FOLDER}/state/sysvol", "[netlogon]", f"path = {FOLDER}/state/sysvol/scripts", ""]
    CONFIG.write_text("\n".join(lines))
    provision(
        logging.getLogger(),
        system_session(),
        smbconf=str(CONFIG),
        realm=REALM,
        domain=DOMAIN,
        hostname="dc1",
        hostip="127.0.0.1",
        adminpass="Adm1n.Passw0rd",
        serverrole="active directory domain controller",
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
        dns_backend="NONE",
    )


def open_directory():
    from samba.auth import system_session
    from samba.param import LoadParm
    from samba.samdb import SamDB

    loadparm = LoadParm()
    loadparm.load(str(CONFIG))
    return SamDB(url=str(DATABASE), session_info=system_session(), lp=loadparm)


def people(directory):
    directory.set_maxPwdAge("0")
    directory.set_minPwdAge("0")
    for name in ["nested", "plain", "crowded", "jürgen", "disabled"]:
        directory.newuser(name, USER, givenname=name.title(), surname="Example", mailaddress=f"{name}@ad.example")
    directory.disable_account("(sAMAccountName=disabled)")
    directory.newcomputer("WS1")
    directory.setpassword("(sAMAccountName=WS1$)", USER)
    directory.enable_account("(sAMAccountName=WS1$)")


def groups(directory):
    from samba.dsdb import GTYPE_DISTRIBUTION_GLOBAL_GROUP as MAIL
    from samba.dsdb import GTYPE_SECURITY_DOMAIN_LOCAL_GROUP as LOCAL
    from samba.dsdb import GTYPE_SECURITY_GLOBAL_GROUP as GLOBAL
    from samba.dsdb import GTYPE_SECURITY_UNIVERSAL_GROUP as UNIVERSAL

    def group(name, kind, member):
        directory.newgroup(name, grouptype=kind)
        directory.add_remove_group_members(name, [member], add_members_operation=True)

    group("gg-inner", GLOBAL, "nested")
    group("gg-outer", GLOBAL, "gg-inner")
    group("ug-all", UNIVERSAL, "gg-outer")
    group("dl-nested", LOCAL, "ug-all")
    group("dl-direct", LOCAL, "nested")
    group("mail", MAIL, "nested")
    directory.add_remove_group_members("Backup Operators", ["nested"], add_members_operation=True)
    for number in range(120):
        group(f"crowd-{number}", GLOBAL, "crowded")


def modify(directory, account, attribute, *values):
    import ldb

    message = ldb.Message(directory.search(expression=f"(sAMAccountName={account})", attrs=[])[0].dn)
    message[attribute] = ldb.MessageElement(list(values), ldb.FLAG_MOD_REPLACE, attribute)
    directory.modify(message)


def service(directory, account, enctypes, names):
    directory.newuser(account, SERVICE)
    modify(directory, account, "servicePrincipalName", *names)
    # Which keys there are is decided when the password is set.
    modify(directory, account, "msDS-SupportedEncryptionTypes", str(enctypes))
    directory.setpassword(f"(sAMAccountName={account})", SERVICE)
    (FOLDER / "keytabs").mkdir(exist_ok=True)
    keytab = FOLDER / "keytabs" / f"{account}.keytab"
    for principal in [account, *names]:
        run("samba-tool", "domain", "exportkeytab", str(keytab), f"--principal={principal}", "-s", str(CONFIG))


def main():
    provision()
    directory = open_directory()
    people(directory)
    groups(directory)
    service(directory, "svc-web", 24, ["HTTP/localhost", "HTTP/web.ad.example", "host/web.ad.example"])
    service(directory, "svc-rc4", 4, ["HTTP/rc4.ad.example"])
    service(directory, "svc-deleg", 24, ["HTTP/deleg.ad.example"])
    flags = directory.search(expression="(sAMAccountName=svc-deleg)", attrs=["userAccountControl"])[0]
    trusted = int(str(flags["userAccountControl"])) | 0x01000000  # TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION
    modify(directory, "svc-deleg", "userAccountControl", str(trusted))
    modify(directory, "svc-deleg", "msDS-AllowedToDelegateTo", "HTTP/localhost", "HTTP/web.ad.example")


main()
