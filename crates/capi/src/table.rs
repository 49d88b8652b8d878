//! The function tables, and the functions that give them out.

use crate::exports as e;

/// A function in the table; who calls it knows which.
#[repr(transparent)]
#[derive(Clone, Copy)]
struct Slot(*const ());

// SAFETY: functions are the same for all threads.
unsafe impl Sync for Slot {}

/// SecurityFunctionTable: 31 functions, in the order of `sspi.h`.
#[repr(C)]
pub(crate) struct FunctionTable {
    version: u32,
    slots: [Slot; 31],
}

/// SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5: all 31 are there.
const VERSION: u32 = 5;

macro_rules! table {
    ($name:ident: $($function:ident),* $(,)?) => {
        static $name: FunctionTable = FunctionTable { version: VERSION, slots: [$(Slot(e::$function as *const ())),*] };
    };
}

table!(ANSI:
    enumerate_a, credential_attribute_a, acquire_a, free_credential, reserved, initialize_a, accept, complete, delete,
    control, attribute_a, impersonate, revert, sign, verify, free_buffer, package_info_a, seal, open, export, import_a,
    add_a, reserved, query_token, seal, open, set_attribute_a, set_credential_attribute_a, change_password_a,
    attribute_ex_a, credential_attribute_ex_a,
);

table!(WIDE:
    enumerate_w, credential_attribute_w, acquire_w, free_credential, reserved, initialize_w, accept, complete, delete,
    control, attribute_w, impersonate, revert, sign, verify, free_buffer, package_info_w, seal, open, export, import_w,
    add_w, reserved, query_token, seal, open, set_attribute_w, set_credential_attribute_w, change_password_w,
    attribute_ex_w, credential_attribute_ex_w,
);

macro_rules! interfaces {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty)?) => $table:ident;)*) => { $(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind)?) -> *const FunctionTable {
            &raw const $table
        }
    )* };
}

interfaces! {
    /// The table of the A functions; it lives as long as the library.
    InitSecurityInterfaceA() => ANSI;
    /// The table of the W functions; it lives as long as the library.
    InitSecurityInterfaceW() => WIDE;
    /// As InitSecurityInterfaceA: hosts for WinPR look for it by this name.
    InitSecurityInterfaceExA(_flags: u32) => ANSI;
    /// As InitSecurityInterfaceW: hosts for WinPR look for it by this name.
    InitSecurityInterfaceExW(_flags: u32) => WIDE;
}
