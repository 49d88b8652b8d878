//! The shared library's name and its own symbols.

fn main() {
    // A host may export functions of the same names (libwinpr2 does): ours are bound to ours when the library is made.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libportcullis.so.0");
}
