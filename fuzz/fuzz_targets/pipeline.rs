#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kfood_fuzz::run("pipeline", bytes));
