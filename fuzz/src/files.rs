//! Files that kfood reads by their paths: each is written into a folder of memory, and read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use kfood::{
    cache::Cache,
    config,
    data::Pack,
    digest::{Digest, seal},
    exec::locked,
    model::{pytorch, safetensors},
    record::{Evaluation, History, Images, Labels, LookAlikes, Photographs, Split},
};

/// A folder of this process.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = root.join(format!("kfood-fuzz-{}", std::process::id()));
    fs::create_dir_all(folder.join("pipelines")).expect("a folder");
    folder
});

/// Removes the folder of this process.
pub(crate) fn forget() {
    let _ = fs::remove_dir_all(&*FOLDER);
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    fs::write(&path, bytes).expect("memory");
    path
}

/// A pipeline file: a pipeline, or mistakes that each have a place in it.
pub fn pipeline(bytes: &[u8]) {
    let path = written("pipelines/p.toml", bytes);
    let nothing = |_: &str| None;
    match config::load_with(&path, &nothing) {
        Ok(pipeline) => assert!(!pipeline.instances.is_empty()),
        Err(mistakes) => assert!(!mistakes.to_string().is_empty()),
    }
}

/// A lock file.
pub fn lock(bytes: &[u8]) {
    let _ = locked::read(&written("p.lock", bytes));
}

/// A `.pt` file, of either form.
pub fn pt(bytes: &[u8]) {
    let _ = pytorch::read(&written("m.pt", bytes));
}

/// A safetensors file, with what its metadata say of the network.
pub fn tensors(bytes: &[u8]) {
    let _ = safetensors::read(&written("m.safetensors", bytes));
}

/// A pack: rows are whole or refused.
pub fn pack(bytes: &[u8]) {
    let Ok(pack) = Pack::open(&written("p.pack", bytes)) else {
        return;
    };
    let _ = pack.verify();
    for i in 0..pack.len().min(4) {
        if let Ok(row) = pack.row(i) {
            assert_eq!(row.len(), pack.width() * pack.height() * 3);
        }
    }
}

/// What stages leave for each other, and the record of a result with a right checksum in front: the first byte chooses.
pub fn record(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    match kind % 8 {
        0 => drop(serde_json::from_slice::<Images>(body)),
        1 => drop(serde_json::from_slice::<Labels>(body)),
        2 => drop(serde_json::from_slice::<LookAlikes>(body)),
        3 => drop(serde_json::from_slice::<Photographs>(body)),
        4 => drop(serde_json::from_slice::<Split>(body)),
        5 => drop(serde_json::from_slice::<History>(body)),
        6 => drop(serde_json::from_slice::<Evaluation>(body)),
        _ => cached(body),
    }
}

/// A record in a cache.
fn cached(body: &[u8]) {
    let key = Digest::of(b"fuzz").to_string();
    let entry = FOLDER.join("cache/entries").join(&key);
    fs::create_dir_all(&entry).expect("memory");
    let text = String::from_utf8_lossy(body);
    fs::write(entry.join("record.json"), seal(&text)).expect("memory");
    let cache = Cache::open(&FOLDER.join("cache")).expect("a cache");
    for record in cache.records() {
        assert!(!record.folder.contains('/'), "{}", record.folder);
        let _ = cache.find(&record.key, &|_| {});
    }
}
