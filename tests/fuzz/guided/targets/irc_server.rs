#![no_main]
include!("modules.rs");
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| irc::irc_server(bytes));
