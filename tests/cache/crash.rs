//! Killed and concurrent processes. The children are this test program itself, told by a variable what to do.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use kfood::{
    cache::{Cache, Gc},
    exec::Options,
    seed,
};
use rand_chacha::rand_core::Rng;

use super::fake::{Fake, ran, run, run_with, scratch};

const CHILD: &str = "KFOOD_TEST_ENGINE_CHILD";

/// Stages that write long enough to be killed in the middle, and resume from their state.
fn stages(folder: &Path) -> Vec<Fake> {
    let work = |c: &kfood::stage::Context<'_>| {
        for step in 0..4 {
            let mark = c.state.join(format!("step{step}"));
            if !mark.exists() {
                fs::write(c.out.join("sum"), format!("half {step}")).unwrap();
                thread::sleep(Duration::from_millis(1));
                fs::write(mark, "").unwrap();
            }
        }
        Ok(())
    };
    let mut stages = vec![Fake::new("data", 1).folder(folder)];
    for i in 1..6_u64 {
        stages
            .push(Fake::new(&format!("s{i}"), i).reads(&stages[i as usize / 2].id.clone(), "sum"));
    }
    stages.into_iter().map(|s| s.acts(work)).collect()
}

fn options() -> Options {
    Options {
        jobs: 2,
        ..Options::default()
    }
}

/// Not a test of its own: what a child does.
#[test]
fn engine_child() {
    let Some(folder) = env::var_os(CHILD) else {
        return;
    };
    let folder = Path::new(&folder);
    // A moment to be killed at is counted from here: the program itself may take long to start.
    fs::write(folder.join(format!("started{}", std::process::id())), "").unwrap();
    let cache = Cache::open(&folder.join("cache")).unwrap();
    let summary = run_with(&stages(&folder.join("images")), &cache, &options());
    assert!(summary.succeeded(), "{:?}", summary.first_error());
}

fn child(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "cache::crash::engine_child", "--test-threads=1"])
        .env(CHILD, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn prepare(folder: &Path) {
    let images = folder.join("images");
    fs::create_dir(&images).unwrap();
    for i in 0..20 {
        fs::write(images.join(format!("{i}.jpg")), [i]).unwrap();
    }
}

/// All outputs of all stages, as bytes.
fn results(folder: &Path, cache: &Cache) -> Vec<Vec<u8>> {
    let stages = stages(&folder.join("images"));
    let summary = run(&stages, cache);
    assert!(summary.succeeded(), "{:?}", summary.first_error());
    let paths = stages
        .iter()
        .flat_map(|s| [(&s.id, "sum"), (&s.id, "parity")]);
    paths
        .map(|(id, name)| fs::read(summary.output(id, name).unwrap()).unwrap())
        .collect()
}

#[test]
fn a_kill_at_any_moment_leaves_a_cache_that_the_next_run_completes_bit_equal() {
    let folder = scratch();
    prepare(folder.path());
    let unbroken = results(
        folder.path(),
        &Cache::open(&folder.path().join("unbroken")).unwrap(),
    );
    let mut draws = seed::stream(7, "kill", &[]);
    let (mut killed, mut finished, mut within_a_stage) = (0, 0, 0);
    while killed < 60 {
        let cache_folder = folder.path().join("cache");
        let mut running = child(folder.path());
        let started = folder.path().join(format!("started{}", running.id()));
        while !started.exists() && running.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(u64::from(draws.next_u32() % 40_000)));
        running.kill().unwrap();
        if running.wait().unwrap().success() {
            // All done before the kill: start over.
            finished += 1;
            assert!(finished < 2000);
            fs::remove_dir_all(&cache_folder).unwrap();
            continue;
        }
        killed += 1;
        if cache_folder
            .join("attempts")
            .read_dir()
            .is_ok_and(|mut a| a.next().is_some())
        {
            within_a_stage += 1;
        }
        let cache = Cache::open(&cache_folder).unwrap();
        assert!(
            cache.verify(&|_| {}).unwrap().damaged.is_empty(),
            "after kill {killed}"
        );
        // Every third time complete it; otherwise kill again on top of what was left.
        if killed % 3 == 0 {
            assert_eq!(
                results(folder.path(), &cache),
                unbroken,
                "after kill {killed}"
            );
            // A kill between publishing and cleaning up leaves an empty attempt, which gc finds.
            let keep = cache.list().iter().map(|e| e.key).collect();
            let gc = Gc {
                keep,
                ..Gc::default()
            };
            assert_eq!(cache.gc(&gc, false).unwrap().entries, []);
            assert_eq!(
                fs::read_dir(cache_folder.join("attempts")).unwrap().count(),
                0
            );
            fs::remove_dir_all(&cache_folder).unwrap();
        }
    }
    assert!(within_a_stage > 0, "kills must meet stages at work");
}

#[test]
fn processes_at_once_on_one_cache_corrupt_nothing() {
    let folder = scratch();
    prepare(folder.path());
    let unbroken = results(
        folder.path(),
        &Cache::open(&folder.path().join("unbroken")).unwrap(),
    );
    for _ in 0..3 {
        let children: Vec<_> = (0..4).map(|_| child(folder.path())).collect();
        for running in children {
            let ended = running.wait_with_output().unwrap();
            assert!(
                ended.status.success(),
                "{}",
                String::from_utf8_lossy(&ended.stderr)
            );
        }
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        assert!(cache.verify(&|_| {}).unwrap().damaged.is_empty());
        let stages = stages(&folder.path().join("images"));
        run(&stages, &cache);
        assert!(ran(&stages).is_empty());
        assert_eq!(results(folder.path(), &cache), unbroken);
        assert_eq!(
            fs::read_dir(folder.path().join("cache/attempts"))
                .unwrap()
                .count(),
            0
        );
        fs::remove_dir_all(folder.path().join("cache")).unwrap();
    }
}
