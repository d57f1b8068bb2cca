//! The lock file of a pipeline: written after a whole run, compared with by `run --locked`.
//!
//! The rule of the comparison, stage by stage:
//! - what the file asked for (kind, version, settings) must be the same, and so must the set of stages;
//! - a stage whose inputs and machine are as recorded must give the same digests;
//! - on another machine, digests of tensor stages may differ (f32 sums depend on threads and vector width) and so may what
//!   follows from them; then each accuracy must lie inside the other's 95% interval, and each loss within
//!   [`LOSS_BOUND`] of the recorded one, relative to the larger.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    files,
    record::{Headline, Interval, Lock, LockedStage},
    text::shown_path,
};

/// How far a loss may be from the recorded one on another machine, relative to the larger of both. Small data sets move
/// a cross entropy by a tenth and more from one order of summation to another; a wrong setting moves it by far more.
pub const LOSS_BOUND: f64 = 0.25;

/// The first line of every lock file.
const FIRST: &str = "# Written by `kfood run`; `kfood run --locked` compares with it. Commit it.";

/// The place of a pipeline's lock file, beside it: `x.lock` of `x.toml` and of `x`, `x.conf.lock` of `x.conf`.
#[must_use]
pub fn path(pipeline: &Path) -> PathBuf {
    let mut name = pipeline.as_os_str().to_owned();
    match pipeline.extension() {
        Some(end) if end != "toml" => {
            name.push(".lock");
            name.into()
        }
        _ => pipeline.with_extension("lock"),
    }
}

/// The pipeline whose lock file this is: of those that may be, the one that is there, else the one whose name ends in `.toml`.
#[must_use]
pub fn pipeline(lock: &Path) -> PathBuf {
    let usual = lock.with_extension("toml");
    let other = lock.with_extension("");
    let is_other = !usual.is_file() && other.is_file() && path(&other) == lock;
    if is_other { other } else { usual }
}

/// That no other pipeline has this one's lock file.
///
/// # Errors
/// When `x` has an `x.toml` beside it.
pub fn is_sole(pipeline: &Path) -> Result<()> {
    let other = pipeline.with_extension("toml");
    if pipeline.extension().is_some() || !other.is_file() {
        return Ok(());
    }
    let (one, other) = (shown_path(pipeline), shown_path(&other));
    let lock = shown_path(path(pipeline));
    let message = format!("`{one}` and `{other}` would have one lock file, `{lock}`");
    Err(Error::usage(message).help("give the pipeline another name, one that ends in `.toml`"))
}

/// Reads a lock file.
///
/// # Errors
/// When there is none, or it is not one.
pub fn read(path: &Path) -> Result<Lock> {
    if !path.exists() {
        return Err(
            Error::usage(format!("there is no lock file `{}`", shown_path(path)))
                .help("a run of the whole pipeline without `--locked` writes it"),
        );
    }
    let lock: Lock = toml::from_str(&files::read_text(path)?).map_err(|e| {
        Error::usage(format!("`{}` is not a lock file", shown_path(path)))
            .because(e)
            .help("restore it from version control, or remove it and run without `--locked`")
    })?;
    if lock.format != 1 {
        return Err(Error::usage(format!(
            "`{}` has format {}, and this kfood reads format 1",
            shown_path(path),
            lock.format
        ))
        .help("use the version of kfood that it names"));
    }
    Ok(lock)
}

/// Whether a file begins as lock files do, whatever became of the rest: other tools write files of that ending, too.
#[must_use]
pub fn begins_as_one(path: &Path) -> bool {
    files::read(path).is_ok_and(|bytes| bytes.starts_with(FIRST.as_bytes()))
}

/// Writes a lock file, unless it says the same already.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, stages: BTreeMap<String, LockedStage>) -> Result<()> {
    let lock = Lock {
        format: 1,
        kfood: env!("CARGO_PKG_VERSION").to_owned(),
        stages,
    };
    let body = toml::to_string(&lock)
        .map_err(|e| Error::failed("cannot write the lock file").because(e))?;
    let text = format!("{FIRST}\n{body}");
    if path.exists() && files::read(path)? == text.as_bytes() {
        return Ok(());
    }
    files::replace_with(path, |to| {
        to.write_all(text.as_bytes())
            .map_err(|e| Error::io("write", path, e))
    })
}

/// How a result compares with the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The same bits.
    Equal,
    /// Other bits on another machine, inside the bounds.
    Within,
    /// Not reproduced.
    Different,
}

impl Verdict {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Within => "within",
            Self::Different => "different",
        }
    }
}

/// One field of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The instance.
    pub stage: String,
    /// What was compared, such as `best.safetensors` or `test top1`.
    pub field: String,
    /// The outcome.
    pub verdict: Verdict,
    /// As recorded.
    pub recorded: String,
    /// As found.
    pub found: String,
}

/// Compares a run with a lock file, field by field, in the order of stage ids.
#[must_use]
pub fn compare(lock: &Lock, found: &BTreeMap<String, LockedStage>) -> Vec<Compared> {
    let mut all = Vec::new();
    for (id, recorded) in &lock.stages {
        match found.get(id) {
            Some(found) => stage(id, recorded, found, &mut all),
            None => all.push(presence(id, "recorded", "not in the pipeline")),
        }
    }
    for id in found.keys().filter(|id| !lock.stages.contains_key(*id)) {
        all.push(presence(id, "not recorded", "in the pipeline"));
    }
    all
}

fn presence(id: &str, recorded: &str, found: &str) -> Compared {
    Compared {
        stage: id.to_owned(),
        field: "stage".to_owned(),
        verdict: Verdict::Different,
        recorded: recorded.to_owned(),
        found: found.to_owned(),
    }
}

fn stage(id: &str, recorded: &LockedStage, found: &LockedStage, all: &mut Vec<Compared>) {
    let mut push = |field: String, verdict, recorded: String, found: String| {
        all.push(Compared {
            stage: id.to_owned(),
            field,
            verdict,
            recorded,
            found,
        });
    };
    if recorded.asked != found.asked {
        let (was, is) = (recorded.asked.short(), found.asked.short());
        push("settings".to_owned(), Verdict::Different, was, is);
        return;
    }
    if recorded.key != found.key && !recorded.after_tensors {
        let (was, is) = (recorded.key.short(), found.key.short());
        push("inputs".to_owned(), Verdict::Different, was, is);
        return;
    }
    let same_bits_promised = recorded.key == found.key && recorded.fingerprint == found.fingerprint;
    for (name, was) in &recorded.outputs {
        let is = found.outputs.get(name);
        let verdict = match is {
            Some(is) if is == was => Verdict::Equal,
            Some(_) if !same_bits_promised => Verdict::Within,
            _ => Verdict::Different,
        };
        let is = is.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
        push(name.clone(), verdict, was.short(), is);
    }
    for (part, was) in &recorded.metrics {
        let Some(is) = found.metrics.get(part) else {
            push(
                part.clone(),
                Verdict::Different,
                "evaluated".to_owned(),
                "not evaluated".to_owned(),
            );
            continue;
        };
        for (field, verdict, was, is) in metrics(was, is, same_bits_promised) {
            push(format!("{part} {field}"), verdict, was, is);
        }
    }
}

fn metrics(
    was: &Headline,
    is: &Headline,
    exact: bool,
) -> Vec<(&'static str, Verdict, String, String)> {
    let verdict = |equal: bool, within: bool| match (equal, within && !exact) {
        (true, _) => Verdict::Equal,
        (false, true) => Verdict::Within,
        (false, false) => Verdict::Different,
    };
    let inside = |value: f64, interval: Interval| (interval.low..=interval.high).contains(&value);
    let share = |a: f64, ai: Interval, b: f64, bi: Interval| {
        verdict(a == b, inside(a, bi) && inside(b, ai))
    };
    let near = (was.loss - is.loss).abs() <= LOSS_BOUND * was.loss.abs().max(is.loss.abs());
    vec![
        (
            "images",
            verdict(was.images == is.images, false),
            was.images.to_string(),
            is.images.to_string(),
        ),
        (
            "top1",
            share(was.top1, was.top1_interval, is.top1, is.top1_interval),
            format!("{:.4}", was.top1),
            format!("{:.4}", is.top1),
        ),
        (
            "top5",
            share(was.top5, was.top5_interval, is.top5, is.top5_interval),
            format!("{:.4}", was.top5),
            format!("{:.4}", is.top5),
        ),
        (
            "loss",
            verdict(was.loss == is.loss, near),
            format!("{:.4}", was.loss),
            format!("{:.4}", is.loss),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{digest::Digest, record::Fingerprint};

    fn stage(bits: &str, threads: u32, top1: f64) -> LockedStage {
        let interval = Interval {
            low: top1 - 0.05,
            high: top1 + 0.05,
        };
        LockedStage {
            key: Digest::of(b"key"),
            asked: Digest::of(b"settings"),
            after_tensors: false,
            outputs: [(
                crate::record::Evaluation::FILE.to_owned(),
                Digest::of(bits.as_bytes()),
            )]
            .into(),
            fingerprint: Some(Fingerprint {
                device: "cpu".to_owned(),
                precision: "f32".to_owned(),
                cpu_capability: "AVX2".to_owned(),
                threads,
                libtorch: "2.11.0".to_owned(),
            }),
            metrics: [(
                "test".to_owned(),
                Headline {
                    images: 100,
                    top1,
                    top1_interval: interval,
                    top5: top1,
                    top5_interval: interval,
                    loss: 1.0,
                },
            )]
            .into(),
        }
    }

    fn worst(recorded: LockedStage, found: LockedStage) -> Verdict {
        let lock = Lock {
            format: 1,
            kfood: "0".to_owned(),
            stages: [("e".to_owned(), recorded)].into(),
        };
        let found = [("e".to_owned(), found)].into();
        compare(&lock, &found)
            .iter()
            .map(|c| c.verdict)
            .max()
            .unwrap()
    }

    #[test]
    fn the_same_bits_are_equal() {
        assert_eq!(
            worst(stage("a", 2, 0.5), stage("a", 2, 0.5)),
            Verdict::Equal
        );
    }

    #[test]
    fn on_an_equal_fingerprint_other_bits_are_different() {
        assert_eq!(
            worst(stage("a", 2, 0.5), stage("b", 2, 0.51)),
            Verdict::Different
        );
    }

    #[test]
    fn on_another_machine_a_metric_inside_the_interval_is_within() {
        assert_eq!(
            worst(stage("a", 2, 0.5), stage("b", 4, 0.53)),
            Verdict::Within
        );
        assert_eq!(
            worst(stage("a", 2, 0.5), stage("b", 4, 0.57)),
            Verdict::Different
        );
    }

    #[test]
    fn edited_settings_and_missing_stages_are_different() {
        let mut edited = stage("a", 2, 0.5);
        edited.asked = Digest::of(b"other settings");
        assert_eq!(worst(stage("a", 2, 0.5), edited), Verdict::Different);
        let lock = Lock {
            format: 1,
            kfood: "0".to_owned(),
            stages: [("e".to_owned(), stage("a", 2, 0.5))].into(),
        };
        assert_eq!(
            compare(&lock, &BTreeMap::new())[0].verdict,
            Verdict::Different
        );
    }

    #[test]
    fn other_data_is_different_unless_it_follows_from_tensors() {
        let mut other = stage("b", 2, 0.5);
        other.key = Digest::of(b"other key");
        assert_eq!(worst(stage("a", 2, 0.5), other.clone()), Verdict::Different);
        let mut after = stage("a", 2, 0.5);
        after.after_tensors = true;
        assert_eq!(worst(after, other), Verdict::Within);
    }

    #[test]
    fn a_lock_file_survives_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let place = path(&folder.path().join("mission1.toml"));
        let stages: BTreeMap<_, _> = [("deeper[lr=0.1]".to_owned(), stage("a", 2, 0.5))].into();
        write(&place, stages.clone()).unwrap();
        assert_eq!(read(&place).unwrap().stages, stages);
    }

    #[test]
    fn a_lock_file_leads_back_to_its_pipeline() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(pipeline(&at("x.lock")), at("x.toml"), "none is there");
        for name in ["x", "x.conf"] {
            std::fs::write(at(name), "").unwrap();
            assert_eq!(pipeline(&path(&at(name))), at(name));
        }
        std::fs::write(at("x.toml"), "").unwrap();
        assert_eq!(pipeline(&at("x.lock")), at("x.toml"));
    }
}
