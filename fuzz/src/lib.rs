//! What the fuzz targets do with any bytes: no panic, no hang, small memory, and a value or an error in words.
//!
//! `fuzz_targets` call these; `tests/corpora.rs` replays the files of `corpora` through the same functions.

mod archives;
mod decode;
mod files;
mod lists;

/// A target by name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("decode", decode::decode),
    ("list", lists::list),
    ("lock", files::lock),
    ("pack", files::pack),
    ("pipeline", files::pipeline),
    ("pt", files::pt),
    ("record", files::record),
    ("tensors", files::tensors),
    ("zip", archives::zip),
];

/// Removes the files that targets have written; they are made anew where they are needed.
pub fn forget() {
    files::forget();
}

/// Runs one target.
///
/// # Panics
/// When there is no such target, or it finds a fault.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    let (_, run) = target.expect("a target");
    run(bytes);
}
