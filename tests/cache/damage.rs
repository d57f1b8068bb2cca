//! Damage of every kind is a rerun with a warning: never a wrong result, never a permanent failure.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use kfood::{
    cache::Cache,
    event::Silent,
    exec::{self, Options},
    stop::Stop,
};

use super::fake::{Fake, Heard, NoWorker, boxed, ran, run, scratch, status};

struct Bench {
    folder: tempfile::TempDir,
    cache: Cache,
    stages: Vec<Fake>,
}

impl Bench {
    fn new() -> Self {
        let folder = scratch();
        let cache = Cache::open(folder.path()).unwrap();
        let stages = vec![Fake::new("a", 3), Fake::new("b", 5).reads("a", "sum")];
        run(&stages, &cache);
        ran(&stages);
        Self {
            folder,
            cache,
            stages,
        }
    }

    fn entry_of_b(&self) -> PathBuf {
        let key = self
            .cache
            .list()
            .into_iter()
            .find(|e| e.stage == "b")
            .unwrap()
            .key;
        self.cache.entry(&key)
    }

    /// Runs; says the warnings and which stages ran. The result must be right in the end.
    fn heals(&self) -> (Vec<String>, Vec<String>) {
        let heard = Heard::default();
        let stages = boxed(&self.stages);
        let summary = exec::run(
            &stages,
            &Options::default(),
            &self.cache,
            &NoWorker,
            &heard,
            &Stop::default(),
        )
        .unwrap();
        assert!(summary.succeeded(), "{:?}", summary.first_error());
        let (sum, _) = super::fake::outputs(5, 1000, &[b"3\n".to_vec()]);
        assert_eq!(fs::read(summary.output("b", "sum").unwrap()).unwrap(), sum);
        let ran_now = ran(&self.stages);
        run(&self.stages, &self.cache);
        assert!(ran(&self.stages).is_empty(), "the next run does nothing");
        assert!(self.cache.verify(&|_| {}).unwrap().damaged.is_empty());
        (heard.warnings(), ran_now)
    }
}

fn flip_unseen(path: &Path, mtime_too: bool) {
    let time = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[0] ^= 1;
    fs::write(path, bytes).unwrap();
    if mtime_too {
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
}

#[test]
fn a_flipped_truncated_zeroed_or_lost_output_is_made_again() {
    let damages: [fn(&Path); 5] = [
        |p| flip_unseen(p, false),
        |p| flip_unseen(p, true),
        |p| {
            File::options()
                .write(true)
                .open(p)
                .unwrap()
                .set_len(1)
                .unwrap();
        },
        |p| fs::write(p, vec![0; fs::read(p).unwrap().len()]).unwrap(),
        |p| fs::remove_file(p).unwrap(),
    ];
    for damage in damages {
        let bench = Bench::new();
        damage(&bench.entry_of_b().join("out-1/sum"));
        assert!(status(&bench.stages, &bench.cache)["b"].contains("the output"));
        let (warnings, ran) = bench.heals();
        assert_eq!(ran, ["b"]);
        assert!(
            warnings.iter().any(|w| w.contains("it will be made again")),
            "{warnings:?}"
        );
        assert!(
            !bench.entry_of_b().join("out-1").exists(),
            "the damaged result is gone"
        );
    }
}

#[test]
fn a_copied_cache_is_verified_once_and_then_trusted() {
    let bench = Bench::new();
    // A new inode, as after copying the cache to another disk.
    let path = bench.entry_of_b().join("out-1/sum");
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let record = fs::read(bench.entry_of_b().join("record.json")).unwrap();
    assert_eq!(status(&bench.stages, &bench.cache)["b"], "cached");
    assert_ne!(
        fs::read(bench.entry_of_b().join("record.json")).unwrap(),
        record,
        "the new stat is remembered"
    );
    assert_eq!(bench.heals(), (vec![], vec![]));
}

#[test]
fn a_truncated_changed_foreign_or_unreadable_record_is_a_miss_with_a_warning() {
    let damages: [fn(&Path); 6] = [
        |p| {
            File::options()
                .write(true)
                .open(p)
                .unwrap()
                .set_len(100)
                .unwrap();
        },
        |p| fs::write(p, "").unwrap(),
        |p| fs::write(p, "{}").unwrap(),
        |p| fs::write(p, [0xff, 0xfe]).unwrap(),
        |p| {
            let text = fs::read_to_string(p).unwrap();
            fs::write(p, text.replace("\"seconds\": ", "\"seconds\": 1")).unwrap();
        },
        |p| {
            let entries = p.parent().unwrap().parent().unwrap();
            let other = fs::read_dir(entries)
                .unwrap()
                .map(|e| e.unwrap().path().join("record.json"));
            fs::copy(other.into_iter().find(|o| o != p).unwrap(), p).unwrap();
        },
    ];
    for damage in damages {
        let bench = Bench::new();
        damage(&bench.entry_of_b().join("record.json"));
        let (warnings, ran) = bench.heals();
        assert_eq!(ran, ["b"]);
        assert!(
            warnings.iter().any(|w| w.contains("record")),
            "{warnings:?}"
        );
    }
}

#[test]
fn verify_finds_what_the_file_system_does_not_tell_and_a_run_heals_it() {
    let bench = Bench::new();
    let path = bench.entry_of_b().join("out-1/sum");
    flip_unseen(&path, true);
    // As if the disk had done it: the record is told that the change was seen.
    let key = bench
        .cache
        .list()
        .into_iter()
        .find(|e| e.stage == "b")
        .unwrap()
        .key;
    let text = fs::read_to_string(bench.entry_of_b().join("record.json")).unwrap();
    let body = text
        .split_once("\"record\":")
        .unwrap()
        .1
        .strip_suffix("}\n")
        .unwrap();
    let meta = fs::metadata(&path).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(body).unwrap();
    record["outputs"]["sum"]["seen"] = serde_json::to_value(kfood::cache::Stat::of(&meta)).unwrap();
    let body = record.to_string();
    let checksum = kfood::digest::Digest::of(body.as_bytes());
    fs::write(
        bench.entry_of_b().join("record.json"),
        format!("{{\"checksum\":\"{checksum}\",\"record\":{body}}}\n"),
    )
    .unwrap();
    assert_eq!(
        status(&bench.stages, &bench.cache)["b"],
        "cached",
        "bit rot is not looked for in every run"
    );
    let verified = bench.cache.verify(&|_| {}).unwrap();
    assert_eq!(verified.sound, 1);
    assert_eq!(verified.damaged.len(), 1);
    assert!(verified.damaged[0].removed && verified.damaged[0].key == key);
    assert_eq!(bench.heals().1, ["b"]);
}

#[test]
fn what_lies_beside_a_result_is_verified_and_goes_alone() {
    for damage in [flip_unseen_too as fn(&Path), |p| {
        fs::remove_file(p).unwrap();
    }] {
        let bench = Bench::new();
        let record = |bench: &Bench| {
            let records = bench.cache.records();
            records.into_iter().find(|r| r.stage == "b").unwrap()
        };
        let path = bench.entry_of_b().join("out-1/timing.json");
        let found = bench.cache.file_beside(&record(&bench), "timing.json");
        assert_eq!(found, Some(path.clone()));
        damage(&path);
        assert_eq!(
            bench.cache.file_beside(&record(&bench), "timing.json"),
            None
        );
        let verified = bench.cache.verify(&|_| {}).unwrap();
        assert_eq!(verified.sound, 2);
        let [damaged] = verified.damaged.as_slice() else {
            panic!("{:?}", verified.damaged)
        };
        assert!(damaged.beside && damaged.removed && damaged.what.contains("timing.json"));
        assert!(!path.exists());
        assert_eq!(bench.heals(), (vec![], vec![]));
    }
}

fn flip_unseen_too(path: &Path) {
    flip_unseen(path, true);
}

#[test]
fn what_a_stage_wrote_before_it_failed_makes_room_at_once_and_gc_takes_what_a_kill_left() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stage = Fake::new("a", 1).acts(|c| {
        fs::write(c.out.join("half"), "written").unwrap();
        fs::write(c.state.join("far"), "so far").unwrap();
        Err(kfood::error::Error::failed("no space"))
    });
    assert!(!run(&[stage], &cache).succeeded());
    let attempts = folder.path().join("attempts");
    let attempt = fs::read_dir(&attempts).unwrap().next().unwrap().unwrap();
    assert!(!attempt.path().join("out").exists());
    assert!(attempt.path().join("state/far").exists());
    // As if it had been killed.
    fs::create_dir(attempt.path().join("out")).unwrap();
    fs::write(attempt.path().join("out/half"), "written").unwrap();
    fs::write(attempt.path().join("state/.x.1.2.tmp"), "half").unwrap();
    let keep = [attempt.file_name().to_str().unwrap().parse().unwrap()];
    let gc = kfood::cache::Gc {
        keep: keep.into(),
        ..Default::default()
    };
    let dry = cache.gc(&gc, true).unwrap();
    assert_eq!(dry, cache.gc(&gc, false).unwrap());
    assert_eq!(dry.bytes(), 11);
    assert!(!attempt.path().join("out").exists());
    assert!(attempt.path().join("state/far").exists());
}

#[test]
fn where_files_without_a_name_are_unknown_gc_takes_those_that_a_kill_left_with_one() {
    let bench = Bench::new();
    let entry = bench.entry_of_b();
    let entries = entry.parent().unwrap().to_owned();
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    let leave = |path: PathBuf| {
        fs::write(&path, "").unwrap();
        File::open(&path).unwrap().set_modified(long_ago).unwrap();
        path
    };
    let left = [
        leave(entry.join(".tmpA1b2C3")),
        leave(entries.join(".tmpxYz789")),
    ];
    // Somebody tries it in this moment; the other one is nobody's.
    let young = entries.join(".tmp4Ab5cD");
    fs::write(&young, "").unwrap();
    let other = leave(entries.join(".tmp-of-somebody"));
    let keep: Vec<_> = bench.cache.list().iter().map(|entry| entry.key).collect();
    let gc = kfood::cache::Gc {
        keep: keep.into_iter().collect(),
        ..Default::default()
    };
    let dry = bench.cache.gc(&gc, true).unwrap();
    let gone: BTreeSet<_> = dry.leftovers.iter().map(|l| l.path.clone()).collect();
    assert_eq!(gone, BTreeSet::from(left.clone()));
    assert_eq!(bench.cache.gc(&gc, false).unwrap(), dry);
    assert!(left.iter().all(|path| !path.exists()));
    assert!(young.exists() && other.exists());
    assert_eq!(bench.heals(), (vec![], vec![]));
}

#[test]
fn a_cache_of_another_layout_is_refused_in_words() {
    let bench = Bench::new();
    fs::write(bench.folder.path().join("format"), "kfood cache 9\n").unwrap();
    let error = Cache::open(bench.folder.path()).unwrap_err();
    assert!(error.message().contains("kfood cache 9"), "{error}");
}

#[test]
fn a_listing_that_is_lost_only_makes_the_reason_shorter() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    fs::write(images.join("a"), "1").unwrap();
    let stages = [Fake::new("data", 1).folder(&images)];
    run(&stages, &cache);
    fs::remove_file(cache.entry(&cache.list()[0].key).join("images.files")).unwrap();
    fs::write(images.join("a"), "2").unwrap();
    assert!(status(&stages, &cache)["data"].starts_with("run: input `images` "));
    let _ = exec::status(&boxed(&stages), &Options::default(), &cache, &Silent).unwrap();
}
