//! Links the program at a fixed address on Linux.
//!
//! `tacho record` runs once per tool call, so its start-up counts. As a
//! position-independent program, with an SQL engine linked in, the loader
//! patches hundreds of thousands of addresses before `main` (25 ms in a debug
//! build); at a fixed address it patches none. Stack, heap and shared libraries
//! are randomised all the same.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bin=tacho=-no-pie");
    }
}
