"""What Samba itself says whose groups are whose: `token_groups.py FOLDER ACCOUNT` prints the account's own SID, then a
SID per line of its `tokenGroups` (MS-ADTS 3.1.1.4.5.19): nested groups of the domain and of BUILTIN."""

import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

folder, account = sys.argv[1:]
loadparm = LoadParm()
loadparm.load(f"{folder}/smb.conf")
directory = SamDB(url=f"{folder}/private/sam.ldb", session_info=system_session(), lp=loadparm)
found = directory.search(expression=f"(sAMAccountName={account})", attrs=["objectSid"])[0]
# Constructed for the base of a search alone.
groups = directory.search(base=found.dn, scope=ldb.SCOPE_BASE, attrs=["tokenGroups"])[0]["tokenGroups"]
for sid in [found["objectSid"][0], *groups]:
    print(ndr_unpack(security.dom_sid, sid))
