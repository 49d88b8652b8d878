//! The functions of `libportcullis.so` as programs find them: by their names, and in the function tables.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// CredHandle and CtxtHandle.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecHandle {
    pub lower: usize,
    pub upper: usize,
}

impl SecHandle {
    /// What SecInvalidateHandle makes.
    pub const INVALID: Self = Self { lower: usize::MAX, upper: usize::MAX };
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SecBuffer {
    pub len: u32,
    pub kind: u32,
    pub at: *mut c_void,
}

impl SecBuffer {
    pub fn new(kind: u32, bytes: &mut [u8]) -> Self {
        Self { len: u32::try_from(bytes.len()).unwrap(), kind, at: bytes.as_mut_ptr().cast() }
    }
}

#[repr(C)]
pub struct SecBufferDesc {
    pub version: u32,
    pub count: u32,
    pub buffers: *mut SecBuffer,
}

impl SecBufferDesc {
    pub fn new(buffers: &mut [SecBuffer]) -> Self {
        Self { version: 0, count: u32::try_from(buffers.len()).unwrap(), buffers: buffers.as_mut_ptr() }
    }
}

pub const DATA: u32 = 1;
pub const TOKEN: u32 = 2;
pub const CHANNEL_BINDINGS: u32 = 14;
pub const INBOUND: usize = 1;
pub const OUTBOUND: usize = 2;
/// ASC_REQ_EXTENDED_ERROR.
pub const EXTENDED_ERROR: u32 = 0x8000;

/// SecurityFunctionTable.
#[repr(C)]
pub struct FunctionTable {
    pub version: u32,
    pub slots: [Function; 31],
}

/// A function of the library. Each argument is a number or a pointer; the calling conventions of Linux give each a place of
/// its own, and whoever takes fewer does not see the others.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function(*const c_void);

impl Function {
    pub fn is_there(self) -> bool {
        !self.0.is_null()
    }

    /// Calls it; what it answers is a status.
    pub fn call(self, given: &[usize]) -> u32 {
        let mut a = [0; 12];
        a[..given.len()].copy_from_slice(given);
        assert!(self.is_there());
        // SAFETY: it is a function of the library, and the tests give it what the header asks for.
        let status = unsafe {
            let function: extern "C" fn(
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
                usize,
            ) -> i32 = std::mem::transmute(self.0);
            function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11])
        };
        status.cast_unsigned()
    }
}

/// The address of something that a function reads or writes.
pub fn at<T>(place: &mut T) -> usize {
    (&raw mut *place).expose_provenance()
}

/// The library, loaded.
pub struct Library(*mut c_void);

impl Library {
    /// Loads a copy of the library, which has statics of its own, and lets it read this configuration.
    pub fn with_config(library: &Path, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("libportcullis.so");
        std::fs::copy(library, &copy).unwrap();
        Self::only_with_config(&copy, text)
    }

    /// Loads the library itself, for a process that has no other.
    pub fn only_with_config(library: &Path, text: &str) -> Self {
        // One at a time: all find their configuration at the same place, since the environment is set once.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap();
        let config = config_file();
        std::fs::write(config, text).unwrap();
        let path = CString::new(library.to_str().unwrap()).unwrap();
        // SAFETY: the path is a string, and the library's initialisers run in any thread.
        let loaded = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!loaded.is_null(), "{}: {}", library.display(), last_error());
        let library = Self(loaded);
        // The file is read by the first who needs it: now.
        let mut credential = SecHandle::INVALID;
        let status = library.acquire("NTLM", INBOUND, 0, &mut credential);
        assert_eq!(status, 0, "the configuration is not taken: {text}");
        assert_eq!(library.function("FreeCredentialsHandle").call(&[at(&mut credential)]), 0);
        std::fs::remove_file(config).unwrap();
        library
    }

    pub fn function(&self, name: &str) -> Function {
        let symbol = CString::new(name).unwrap();
        // SAFETY: the library stays loaded, and the name is a string.
        let found = unsafe { libc::dlsym(self.0, symbol.as_ptr()) };
        assert!(!found.is_null(), "{name} is not exported");
        Function(found)
    }

    /// InitSecurityInterface…
    pub fn table(&self, name: &str) -> &'static FunctionTable {
        // SAFETY: it is a function without parameters, or with a number, that gives a table which stays.
        unsafe {
            let function: extern "C" fn(u32) -> *const FunctionTable = std::mem::transmute(self.function(name).0);
            &*function(0)
        }
    }

    /// AcquireCredentialsHandleA.
    pub fn acquire(&self, package: &str, direction: usize, identity: usize, credential: &mut SecHandle) -> u32 {
        let name = CString::new(package).unwrap();
        let mut expiry = 0_i64;
        let name = name.as_ptr().expose_provenance();
        self.function("AcquireCredentialsHandleA").call(&[
            0,
            name,
            direction,
            0,
            identity,
            0,
            0,
            at(credential),
            at(&mut expiry),
        ])
    }

    /// PortcullisSetAuthority.
    pub fn set_authority(&self, source: &str) -> u32 {
        let source = CString::new(source).unwrap();
        self.function("PortcullisSetAuthority").call(&[source.as_ptr().expose_provenance()])
    }

    /// PortcullisLastCause.
    pub fn last_cause(&self) -> String {
        let mut name = [0_u8; 128];
        let status = self.function("PortcullisLastCause").call(&[name.as_mut_ptr().expose_provenance(), name.len()]);
        assert_eq!(status, 0);
        CStr::from_bytes_until_nul(&name).unwrap().to_str().unwrap().to_owned()
    }
}

/// Where PORTCULLIS_CONFIG says that the configuration is.
fn config_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let name = format!("portcullis-{}.toml", std::process::id());
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // SAFETY: no library is loaded yet that could read the environment at the same time; the standard library has a lock.
        unsafe { std::env::set_var("PORTCULLIS_CONFIG", &file) };
        file
    })
}

fn last_error() -> String {
    // SAFETY: what comes back is a string or null.
    unsafe {
        let error: *const c_char = libc::dlerror();
        if error.is_null() { String::new() } else { CStr::from_ptr(error).to_string_lossy().into_owned() }
    }
}

/// What a program reads of memory that the library gave out.
///
/// # Safety
/// As many bytes stand there.
pub unsafe fn bytes(address: usize, len: usize) -> Vec<u8> {
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address), len) }.to_vec()
}

/// A string of UTF-16.
///
/// # Safety
/// One stands there.
pub unsafe fn wide(address: usize) -> String {
    let mut text = Vec::new();
    loop {
        // SAFETY: as the caller says: the end has not come yet.
        let unit = unsafe { std::ptr::with_exposed_provenance::<u16>(address).add(text.len()).read() };
        match unit {
            0 => return String::from_utf16(&text).unwrap(),
            unit => text.push(unit),
        }
    }
}

/// A string of bytes.
///
/// # Safety
/// One stands there.
pub unsafe fn narrow(address: usize) -> String {
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(std::ptr::with_exposed_provenance(address)) }.to_str().unwrap().to_owned()
}
