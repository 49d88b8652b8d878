//! The function tables: what stands in their slots.

use crate::document::{Row, Section};
use crate::sspi::{
    DATA, Function, FunctionTable, INBOUND, OUTBOUND, SecBuffer, SecBufferDesc, SecHandle, TOKEN, at, narrow, wide,
};
use crate::world::{CONTINUE_NEEDED, DOMAIN, Identity, PACKAGES, PASSWORD, USER, World, text};

/// The functions in the order of sspi.h. A name that ends with `?` has an A and a W form.
const SLOTS: [&str; 31] = [
    "EnumerateSecurityPackages?",
    "QueryCredentialsAttributes?",
    "AcquireCredentialsHandle?",
    "FreeCredentialsHandle",
    "Reserved2",
    "InitializeSecurityContext?",
    "AcceptSecurityContext",
    "CompleteAuthToken",
    "DeleteSecurityContext",
    "ApplyControlToken",
    "QueryContextAttributes?",
    "ImpersonateSecurityContext",
    "RevertSecurityContext",
    "MakeSignature",
    "VerifySignature",
    "FreeContextBuffer",
    "QuerySecurityPackageInfo?",
    "Reserved3: EncryptMessage",
    "Reserved4: DecryptMessage",
    "ExportSecurityContext",
    "ImportSecurityContext?",
    "AddCredentials?",
    "Reserved8",
    "QuerySecurityContextToken",
    "EncryptMessage",
    "DecryptMessage",
    "SetContextAttributes?",
    "SetCredentialsAttributes?",
    "ChangeAccountPassword?",
    "QueryContextAttributesEx?",
    "QueryCredentialsAttributesEx?",
];

pub const TABLES: [(&str, bool); 4] = [
    ("InitSecurityInterfaceA", false),
    ("InitSecurityInterfaceW", true),
    ("InitSecurityInterfaceExA", false),
    ("InitSecurityInterfaceExW", true),
];

const LIFE: &str = "behaviour::a_life_through_each_table";

/// The tables and their slots.
pub fn section(world: &World) -> Section {
    let tables = [TABLES[0], TABLES[1]].map(|(name, wide)| (world.library.table(name), wide));
    let rows = SLOTS.iter().enumerate().map(|(slot, name)| {
        let statuses = tables.iter().map(|(table, wide)| empty_call(world, table.slots[slot], slot, *wide)).collect();
        let source = match slot {
            4 | 22 => "`SecurityFunctionTable`: reserved; *ours*: a function that says so, for who calls it all the same",
            17 | 18 => "`SecurityFunctionTable`: reserved; the former places of SealMessage and UnsealMessage, by which mstsc calls them",
            _ => "`SecurityFunctionTable`",
        };
        let name = name.replace('?', "A, W");
        Row { case: format!("{slot} {name}"), statuses, source: source.into(), tests: vec![crate::HERE, LIFE] }
    });
    Section {
        exports: TABLES.map(|(name, _)| name).to_vec(),
        part: "",
        about: "Two tables of version 5, whose 31 slots are set; the Ex forms, by which programs linked to WinPR find them, give the \
            same two. The statuses are those of calls whose arguments are all zero, which \
            tell the functions apart little; a life that goes through the table alone tells them apart by what they do.",
        by: "slot",
        columns: vec!["A", "W"],
        documented: &[
            "SEC_E_OK",
            "SEC_E_INVALID_HANDLE",
            "SEC_E_INVALID_PARAMETER",
            "SEC_E_SECPKG_NOT_FOUND",
            "SEC_E_UNSUPPORTED_FUNCTION",
        ],
        rows: rows.collect(),
    }
}

/// Calls a slot with nothing, and its export, which must answer alike.
fn empty_call(world: &World, function: Function, slot: usize, wide: bool) -> u32 {
    let status = function.call(&[]);
    let name = SLOTS[slot].split(": ").last().unwrap().replace('?', if wide { "W" } else { "A" });
    if !name.starts_with("Reserved") {
        assert_eq!(status, world.function(&name).call(&[]), "slot {slot} and {name}");
    }
    status
}

/// What holds of the tables at rest.
pub fn check(world: &World) {
    let tables = TABLES.map(|(name, _)| world.library.table(name));
    for table in tables {
        assert_eq!(table.version, 5);
        assert!(table.slots.iter().all(|slot| slot.is_there()));
        assert_eq!((table.slots[17], table.slots[18]), (table.slots[24], table.slots[25]));
        // The others are all different, but for the two that are reserved.
        for (number, slot) in table.slots.iter().enumerate().filter(|(number, _)| !matches!(number, 17 | 18)) {
            let same: Vec<_> =
                (0..31).filter(|other| table.slots[*other] == *slot && !matches!(other, 17 | 18)).collect();
            assert_eq!(same, if matches!(number, 4 | 22) { vec![4, 22] } else { vec![number] });
        }
    }
    assert!(std::ptr::eq(tables[0], tables[2]) && std::ptr::eq(tables[1], tables[3]));
    for (slot, name) in SLOTS.iter().enumerate() {
        let one = tables[0].slots[slot] == tables[1].slots[slot];
        assert_eq!(one, !name.ends_with('?'), "{name}: what takes texts has two forms");
    }
}

/// A life of two sides, by the slots of a table alone: each function is known by what it does.
pub fn life(world: &World, table: &FunctionTable, is_wide: bool) {
    for package in PACKAGES {
        Life { world, slots: &table.slots, is_wide, package }.run();
    }
}

struct Life<'t> {
    world: &'t World,
    slots: &'t [Function; 31],
    is_wide: bool,
    package: &'static str,
}

impl Life<'_> {
    fn call(&self, slot: usize, arguments: &[usize]) {
        assert_eq!(self.slots[slot].call(arguments), 0, "slot {slot}, {}", SLOTS[slot]);
    }

    fn run(&self) {
        self.packages();
        let (mut inbound, mut outbound) = (self.acquire(INBOUND), self.acquire(OUTBOUND));
        let (mut client, mut server) = self.shake(inbound, outbound);
        self.credential(&mut outbound);
        self.context(&mut server);
        self.messages(&mut client, &mut server);
        let mut token = 0_usize;
        self.call(23, &[at(&mut server), at(&mut token)]);
        assert_eq!(self.world.function("PortcullisCloseToken").call(&[token]), 0);
        for slot in [11, 12] {
            assert_eq!(self.slots[slot].call(&[at(&mut server)]), 0x8009_030B, "SEC_E_NO_IMPERSONATION");
        }
        for (slot, arguments) in [(7, vec![at(&mut server), 0]), (9, vec![at(&mut server), 0])] {
            assert_eq!(self.slots[slot].call(&arguments), 0x8009_0302, "SEC_E_UNSUPPORTED_FUNCTION");
        }
        // Over to another process, as it were, and back: the next message opens there.
        let mut packed = SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() };
        self.call(19, &[at(&mut server), 2, at(&mut packed), 0]);
        let mut moved = SecHandle::INVALID;
        self.call(20, &[at(&mut self.text(self.package)[0]), at(&mut packed), 0, at(&mut moved)]);
        self.call(15, &[packed.at.expose_provenance()]);
        self.messages(&mut client, &mut moved);
        for context in [&mut client, &mut moved] {
            self.call(8, &[at(context)]);
            self.call(8, &[at(context)]);
        }
        for credential in [&mut inbound, &mut outbound] {
            self.call(3, &[at(credential)]);
            assert_eq!(self.slots[3].call(&[at(credential)]), 0x8009_0301, "SEC_E_INVALID_HANDLE");
        }
        let mut texts = [self.package, DOMAIN, USER, PASSWORD, PASSWORD].map(|part| self.text(part));
        let [package, domain, user, old, new] = texts.each_mut().map(|part| at(&mut part[0]));
        self.call(28, &[package, domain, user, old, new, 0, 0, 0]);
    }

    fn text(&self, part: &str) -> Vec<u16> {
        text(part, self.is_wide)
    }

    /// A string of the table's characters.
    fn read(&self, address: usize) -> String {
        // SAFETY: the library gave a string of the characters that the table's functions have.
        unsafe { if self.is_wide { wide(address) } else { narrow(address) } }
    }

    fn packages(&self) {
        let (mut count, mut infos) = (0_u32, [0_usize; 1]);
        self.call(0, &[at(&mut count), at(&mut infos)]);
        assert_eq!(count as usize, PACKAGES.len() + 4);
        self.call(15, &[infos[0]]);
        let mut info = 0_usize;
        self.call(16, &[at(&mut self.text(self.package)[0]), at(&mut info)]);
        // SAFETY: SecPkgInfo has its name at offset 16.
        let name = unsafe { std::ptr::with_exposed_provenance::<usize>(info + 16).read() };
        assert_eq!(self.read(name), self.package);
        self.call(15, &[info]);
    }

    fn acquire(&self, direction: usize) -> SecHandle {
        let mut identity = Identity::new(USER, DOMAIN, PASSWORD);
        let identity = if direction == OUTBOUND { at(&mut identity.structure) } else { 0 };
        let (mut handle, mut package) = (SecHandle::INVALID, self.text(self.package));
        self.call(2, &[0, at(&mut package[0]), direction, 0, identity, 0, 0, at(&mut handle), 0]);
        handle
    }

    fn shake(&self, inbound: SecHandle, outbound: SecHandle) -> (SecHandle, SecHandle) {
        let (begin, answer) = (self.slots[5], self.slots[6]);
        let begun = self.world.initialize_by(begin, self.is_wide, Some(outbound), None, &[]);
        assert_eq!(begun.status, CONTINUE_NEEDED);
        let challenge = self.world.accept_by(answer, Some(inbound), None, &begun.token);
        assert_eq!(challenge.status, CONTINUE_NEEDED);
        let proof =
            self.world.initialize_by(begin, self.is_wide, Some(outbound), Some(begun.context), &challenge.token);
        assert_eq!(proof.status, 0);
        assert_eq!(self.world.accept_by(answer, Some(inbound), Some(challenge.context), &proof.token).status, 0);
        (begun.context, challenge.context)
    }

    fn credential(&self, outbound: &mut SecHandle) {
        let mut name = 0_usize;
        self.call(1, &[at(outbound), 1, at(&mut name)]);
        assert_eq!(self.read(name), format!("{DOMAIN}\\{USER}"));
        self.call(30, &[at(outbound), 1, at(&mut name), 8]);
        assert_eq!(self.slots[30].call(&[at(outbound), 1, at(&mut name), 7]), 0x8009_0321, "SEC_E_BUFFER_TOO_SMALL");
        assert_eq!(
            self.slots[27].call(&[at(outbound), 3, at(&mut name), 8]),
            0x8009_0302,
            "SEC_E_UNSUPPORTED_FUNCTION"
        );
        let mut identity = Identity::new("ben", DOMAIN, PASSWORD);
        let (mut package, identity) = (self.text(self.package), at(&mut identity.structure));
        let added = self.slots[21].call(&[at(outbound), 0, at(&mut package[0]), OUTBOUND, identity, 0, 0, 0]);
        self.call(1, &[at(outbound), 1, at(&mut name)]);
        let expected = if self.package == "NTLM" { (0x8009_0302, USER) } else { (0, "ben") };
        assert_eq!((added, self.read(name)), (expected.0, format!("{DOMAIN}\\{}", expected.1)));
    }

    fn context(&self, server: &mut SecHandle) {
        let mut name = 0_usize;
        self.call(10, &[at(server), 1, at(&mut name)]);
        assert_eq!(self.read(name), format!("{DOMAIN}\\{USER}"));
        self.call(29, &[at(server), 1, at(&mut name), 8]);
        assert_eq!(self.slots[29].call(&[at(server), 1, at(&mut name), 7]), 0x8009_0321, "SEC_E_BUFFER_TOO_SMALL");
        assert_eq!(
            self.slots[26].call(&[at(server), 1004, at(&mut name), 8]),
            0x8009_0302,
            "SEC_E_UNSUPPORTED_FUNCTION"
        );
    }

    /// Signed and sealed messages, by both places of the functions that seal.
    fn messages(&self, client: &mut SecHandle, server: &mut SecHandle) {
        for (make, take) in [(13, 14), (24, 25), (17, 18)] {
            let (mut signature, mut data) = ([0; 16], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            self.call(make, &[at(client), 0, at(&mut message), 0]);
            assert_eq!(data == *b"hello", make == 13, "what is sealed is not read, and what is signed is");
            self.call(take, &[at(server), at(&mut message), 0, 0]);
            assert_eq!(data, *b"hello");
        }
    }
}
