//! The zip packaging (PyTorch 1.6 and later): `*/data.pkl` and one stored entry `*/data/KEY` for each storage.

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
};

use ::zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::{
    super::{ACCEPTED, bounds, catalog::Opened},
    Budget, SAID, bad, pickle,
    state::{Listed, list},
    storage::Storages,
};
use crate::{
    error::{Error, Result},
    record::CheckpointInfo,
    text,
};

type Archive = ZipArchive<BufReader<File>>;

pub(super) fn open(mut file: File) -> Result<Opened> {
    let damaged = |e: std::io::Error| bad("it cannot be read").because(e);
    let length = file.metadata().map_err(damaged)?.len();
    small_directory(&mut file, length)?;
    if is_program(&mut file, length) {
        return Err(exported_program());
    }
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| {
        bad("it is no whole zip archive, most likely cut off")
            .because(e)
            .help("copy or download it again")
    })?;
    let prefix = prefix(&archive)?;
    check_kind(&mut archive, &prefix)?;
    let info = said(&mut archive, &prefix)?;
    let program = program(&mut archive, &prefix)?;
    let (value, heap, _) = pickle::run(&program)?;
    let Listed {
        sets,
        tensors,
        instead,
    } = list(&value, &heap)?;
    drop(heap);

    let whole = usize::try_from(length).unwrap_or(usize::MAX);
    let mut storages = Storages::of(&tensors);
    let mut budget = Budget::of(whole);
    let gather = move |place: usize| {
        let tensor = &tensors[place];
        budget.spend(tensor)?;
        storages.gather(tensor, |key| {
            entry(&mut archive, &format!("{prefix}data/{key}"), whole)
        })
    };
    Ok(Opened {
        sets,
        gather: Box::new(gather),
        info,
        members: None,
        instead,
    })
}

fn has(archive: &Archive, name: &str) -> bool {
    archive.index_for_name(name).is_some()
}

/// Refuses programs, and numbers in the order of other processors.
fn check_kind(archive: &mut Archive, prefix: &str) -> Result<()> {
    if has(archive, &format!("{prefix}constants.pkl")) {
        return Err(torch_script());
    }
    let order = format!("{prefix}byteorder");
    if has(archive, &order) && entry(archive, &order, 16)? != b"little" {
        return Err(Error::failed(
            "its numbers are big-endian, and only little-endian files are accepted",
        ));
    }
    Ok(())
}

/// What kfood wrote into a file of its own beside the weights.
fn said(archive: &mut Archive, prefix: &str) -> Result<Option<CheckpointInfo>> {
    let name = format!("{prefix}{SAID}");
    if !has(archive, &name) {
        return Ok(None);
    }
    let said = entry(archive, &name, bounds::HEADER)?;
    serde_json::from_slice(&said).map(Some).map_err(|e| {
        Error::failed(format!("its entry `{SAID}` is not understood"))
            .because(e)
            .help("use the file that kfood wrote")
    })
}

/// The pickle that says what the storages are.
fn program(archive: &mut Archive, prefix: &str) -> Result<Vec<u8>> {
    let name = format!("{prefix}data.pkl");
    let large = archive
        .by_name(&name)
        .is_ok_and(|file| file.size() > bounds::PICKLE as u64);
    if large {
        return Err(pickle::too_large());
    }
    entry(archive, &name, bounds::PICKLE)
}

/// Holds the directory of an archive against what a model file has, before a reader believes it.
fn small_directory(file: &mut File, length: u64) -> Result<()> {
    // The end of central directory, of 22 bytes and a comment, and what zip64 puts before it.
    let tail = length.min(22 + 65_535 + 20 + 56);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(length - tail))
        .and_then(|_| file.read_to_end(&mut bytes))
        .map_err(|e| bad("it cannot be read").because(e))?;
    let number = |at: usize, width: usize| {
        let bytes = bytes.get(at..at + width)?;
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(bytes);
        Some(u64::from_le_bytes(wide))
    };
    let large = (0..bytes.len()).any(|at| {
        let (entries, directory) = match &bytes[at..] {
            [b'P', b'K', 5, 6, ..] => match (number(at + 10, 2), number(at + 12, 4)) {
                // Told by zip64.
                (_, Some(0xffff_ffff)) => return false,
                told => told,
            },
            [b'P', b'K', 6, 6, ..] => (number(at + 32, 8), number(at + 40, 8)),
            _ => return false,
        };
        entries.is_some_and(|n| n > bounds::ENTRIES)
            || directory.is_some_and(|n| n > bounds::DIRECTORY)
    });
    if large {
        return Err(
            Error::failed("is a zip archive of far more entries than a model has")
                .help("save `model.state_dict()` alone with `torch.save`"),
        );
    }
    Ok(())
}

fn torch_script() -> Error {
    Error::failed("is a TorchScript archive: a program with its weights, not the weights alone")
        .help("in Python: `torch.save(torch.jit.load(FILE, map_location=\"cpu\").state_dict(), \"weights.pt\")`")
}

/// What of a file is looked through for the names in its directory.
const DIRECTORY: u64 = 1 << 20;

/// Whether `torch.export` wrote the archive, by names in its directory. Other readers refuse some of these directories.
fn is_program(file: &mut File, length: u64) -> bool {
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(length.saturating_sub(DIRECTORY)))
        .and_then(|_| file.read_to_end(&mut bytes));
    let names = |wanted: &[u8]| bytes.windows(wanted.len()).any(|name| name == wanted);
    read.is_ok() && names(b"/models/model.json") && names(b"/archive_format")
}

fn exported_program() -> Error {
    Error::failed(
        "is a program that `torch.export` wrote: it holds its weights, and not the weights alone",
    )
    .help("in Python: `torch.save(torch.export.load(FILE).state_dict, \"weights.pt\")`")
}

/// What stands before `data.pkl`: the name of the archive and a slash.
fn prefix(archive: &Archive) -> Result<String> {
    let names = archive.file_names().filter_map(std::result::Result::ok);
    let found: Vec<_> = names
        .filter_map(|name| name.strip_suffix("data.pkl").map(str::to_owned))
        .collect();
    match &found[..] {
        [prefix] if prefix.is_empty() || prefix.ends_with('/') => Ok(prefix.clone()),
        _ => Err(no_model(archive)),
    }
}

/// What a zip archive is that PyTorch did not write.
fn no_model(archive: &Archive) -> Error {
    let names = || archive.file_names().filter_map(std::result::Result::ok);
    let ends =
        |endings: &[&str]| names().find(|name| endings.iter().any(|ending| name.ends_with(ending)));
    if let Some(inside) = ends(&[".pt", ".pth", ".ckpt", ".pth.tar", ".safetensors"]) {
        let inside = text::shown(&inside);
        return Error::failed(format!(
            "is a zip archive with the model file `{inside}` in it"
        ))
        .help("unpack it, and name the file that was in it");
    }
    if ends(&[".npy"]).is_some() {
        return Error::failed("holds arrays of NumPy, not tensors").help(
            "in Python: `torch.save({k: torch.tensor(v) for k, v in numpy.load(FILE).items()}, \"weights.pt\")`",
        );
    }
    if ends(&[".weights.h5"]).is_some() {
        return Error::failed("is a model of Keras").help(ACCEPTED);
    }
    bad("it is a zip archive without one `data.pkl`").help(ACCEPTED)
}

/// The content of an entry of at most `limit` bytes, with its checksum verified.
fn entry(archive: &mut Archive, name: &str, limit: usize) -> Result<Vec<u8>> {
    let mut file = archive.by_name(name).map_err(|e| match e {
        ZipError::FileNotFound => bad(&format!("its entry `{name}` is missing")),
        e => bad(&format!("its entry `{name}` cannot be read")).because(e),
    })?;
    // PyTorch never compresses, and a stored entry cannot be larger than the file it lies in.
    if file.compression() != CompressionMethod::Stored || file.encrypted() {
        return Err(bad(&format!(
            "its entry `{name}` is compressed or encrypted, which PyTorch does not do"
        ))
        .help("unpack it and pack it anew without compression: `zip -0 -r`"));
    }
    if file.size() > limit as u64 {
        return Err(bad(&format!(
            "its entry `{name}` has {} bytes, more than can be right",
            file.size()
        )));
    }
    let mut content = Vec::with_capacity(file.size() as usize);
    let read = file
        .by_ref()
        .take(limit as u64 + 1)
        .read_to_end(&mut content);
    read.map_err(|e| bad(&format!("its entry `{name}` is damaged")).because(e))?;
    if content.len() as u64 != file.size() {
        return Err(bad(&format!("its entry `{name}` is truncated")));
    }
    Ok(content)
}
