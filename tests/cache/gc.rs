//! gc: what nothing refers to goes, what anything refers to stays, and a dry run tells the truth.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use kfood::{
    cache::{Cache, Gc},
    exec::Options,
};

use super::fake::{Fake, ran, run, run_with, scratch};

#[test]
fn what_is_kept_stays_and_the_dry_run_equals_the_deletion() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let kept = [Fake::new("a", 1), Fake::new("b", 2).reads("a", "sum")];
    let summary = run(&kept, &cache);
    run(&[Fake::new("old", 7)], &cache);
    ran(&kept);
    let gc = Gc {
        keep: summary.keys(),
        ..Gc::default()
    };
    let dry = cache.gc(&gc, true).unwrap();
    assert_eq!(cache.list().len(), 3);
    assert_eq!(dry.entries.len(), 1);
    assert_eq!(
        (
            dry.entries[0].stage.as_str(),
            dry.entries[0].kind.as_str(),
            dry.kept
        ),
        ("old", "fake", 2)
    );
    assert_eq!(cache.gc(&gc, false).unwrap(), dry);
    assert_eq!(cache.list().len(), 2);
    run(&kept, &cache);
    assert!(ran(&kept).is_empty());
    assert_eq!(cache.gc(&gc, false).unwrap().bytes(), 0);
}

/// A cache with results that were last used 30, 10 and 1 days ago; each stage is named by that.
fn used_long_ago(folder: &Path) -> Cache {
    let cache = Cache::open(folder).unwrap();
    for (days, value) in [(30, 1), (10, 2), (1, 3)] {
        let summary = run(&[Fake::new(&format!("{days}"), value)], &cache);
        let entry = cache.entry(summary.keys().first().unwrap());
        let used = SystemTime::now() - Duration::from_secs(days * 24 * 3600 + 60);
        let record = File::options().write(true).open(entry.join("record.json"));
        record.unwrap().set_modified(used).unwrap();
    }
    cache
}

/// The stages whose results would go.
fn going(cache: &Cache, older_than_days: Option<u64>, max_bytes: Option<u64>) -> Vec<String> {
    let gc = Gc {
        older_than: older_than_days.map(|days| Duration::from_secs(days * 24 * 3600)),
        max_bytes,
        ..Gc::default()
    };
    let entries = cache.gc(&gc, true).unwrap().entries.into_iter();
    let mut stages: Vec<_> = entries.map(|e| e.stage).collect();
    stages.sort();
    stages
}

#[test]
fn a_limit_of_age_removes_what_was_not_used_since_and_a_hit_is_a_use() {
    let folder = scratch();
    let cache = used_long_ago(folder.path());
    assert_eq!(going(&cache, Some(20), None), ["30"]);
    assert_eq!(going(&cache, Some(5), None), ["10", "30"]);
    run(&[Fake::new("again", 1)], &cache);
    assert_eq!(going(&cache, Some(5), None), ["10"]);
}

#[test]
fn a_limit_of_size_removes_the_longest_unused_first() {
    let folder = scratch();
    let cache = used_long_ago(folder.path());
    let total: u64 = cache.list().iter().map(|e| e.bytes).sum();
    assert!(going(&cache, None, Some(total)).is_empty());
    assert_eq!(going(&cache, None, Some(total - 1)), ["30"]);
    assert_eq!(going(&cache, None, Some(0)).len(), 3);
}

#[test]
fn what_a_running_stage_refers_to_stays() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let inner = cache.clone();
    let stages = [
        Fake::new("a", 1),
        Fake::new("b", 2).reads("a", "sum").acts(move |c| {
            fs::write(c.state.join("half"), "").unwrap();
            assert_eq!(inner.gc(&Gc::default(), false).unwrap().bytes(), 0);
            assert!(c.inputs["input0"].exists() && c.out.exists() && c.state.join("half").exists());
            Ok(())
        }),
        Fake::new("c", 2).reads("a", "sum").reads("b", "sum"),
    ];
    assert!(run(&stages, &cache).succeeded());
    assert_eq!(cache.gc(&Gc::default(), false).unwrap().entries.len(), 3);
    assert!(cache.list().is_empty());
}

#[test]
fn leftovers_of_dead_runs_and_replaced_results_go() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = [Fake::new("a", 1)];
    let summary = run(&stages, &cache);
    let force = Options {
        force: vec!["a".to_owned()],
        ..Options::default()
    };
    run_with(&stages, &cache, &force);
    let key = "11".repeat(32);
    for place in ["attempts", "entries"] {
        let path = folder.path().join(place).join(&key).join("out-1");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("sum"), "12345").unwrap();
    }
    fs::write(folder.path().join("runs/1.keys"), format!("{key}\n")).unwrap();
    let gc = Gc {
        keep: summary.keys(),
        ..Gc::default()
    };
    let dry = cache.gc(&gc, true).unwrap();
    assert_eq!(dry.leftovers.len(), 4, "{dry:?}");
    assert_eq!(cache.gc(&gc, false).unwrap(), dry);
    assert_eq!(cache.gc(&gc, false).unwrap().leftovers, []);
    ran(&stages);
    run(&stages, &cache);
    assert!(ran(&stages).is_empty());
}
