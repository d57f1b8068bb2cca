//! Earlier results that a stage may take unchanged work from.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use kfood::{
    cache::{Cache, Gc},
    error::Class,
    exec::Options,
    files::FileList,
    stage::{Context, Reuse},
    stop::Stop,
};

use super::fake::{Fake, run, run_with, scratch};

type Seen = Arc<Mutex<Vec<PathBuf>>>;

/// A stage that reads another one of this value, and keeps what it is handed of earlier results.
fn stages(
    value: u64,
    seen: &Seen,
    act: impl Fn(&Context<'_>) + Send + Sync + 'static,
) -> [Fake; 2] {
    let seen = seen.clone();
    let mut reader = Fake::new("reader", 100)
        .reads("a", "sum")
        .acts(move |context| {
            act(context);
            *seen.lock().unwrap() = context.earlier.to_vec();
            Ok(())
        });
    reader.reuses = Reuse::OtherInputs(&[]);
    [Fake::new("a", value), reader]
}

fn handed(seen: &Seen) -> Vec<PathBuf> {
    std::mem::take(&mut *seen.lock().unwrap())
}

/// The folder of the result of `reader`.
fn made(cache: &Cache, stages: &[Fake]) -> PathBuf {
    run(stages, cache)
        .output("reader", "sum")
        .unwrap()
        .with_file_name("")
}

#[test]
fn results_of_other_inputs_alone_are_handed_on() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let seen = Seen::default();
    let of = |value| stages(value, &seen, |_| ());
    let first = made(&cache, &of(1));
    assert!(handed(&seen).is_empty());
    let second = made(&cache, &of(2));
    assert_eq!(handed(&seen), std::slice::from_ref(&first));

    let mut other = of(3);
    other[1].version = 2;
    run(&other, &cache);
    assert!(handed(&seen).is_empty());
    let mut other = of(3);
    other[1].settings = serde_json::json!({"rate": 1});
    run(&other, &cache);
    assert!(handed(&seen).is_empty());
    let mut other = of(3);
    other[1].kind = "other";
    run(&other, &cache);
    assert!(handed(&seen).is_empty());
    let mut other = of(3);
    other[1].reuses = Reuse::Nothing;
    run(&other, &cache);
    assert!(handed(&seen).is_empty());

    let forced = Options {
        force: vec!["reader".to_owned()],
        ..Options::default()
    };
    run_with(&of(4), &cache, &forced);
    assert!(handed(&seen).is_empty());

    // A result that is no longer as it was made is none.
    fs::write(first.join("sum"), "9").unwrap();
    run(&of(5), &cache);
    let now = handed(&seen);
    assert!(now.contains(&second) && !now.contains(&first), "{now:?}");
    for value in 6..12 {
        run(&of(value), &cache);
    }
    assert_eq!(handed(&seen).len(), 4);
}

#[test]
fn gc_leaves_what_was_handed_on_while_the_run_lives() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let seen = Seen::default();
    let first = made(&cache, &stages(1, &seen, |_| ()));
    let gc = cache.clone();
    let stages = stages(2, &seen, move |context| {
        gc.gc(&Gc::default(), false).unwrap();
        assert!(
            context
                .earlier
                .iter()
                .all(|folder| folder.join("sum").is_file())
        );
    });
    run(&stages, &cache);
    assert_eq!(handed(&seen), std::slice::from_ref(&first));
    cache.gc(&Gc::default(), false).unwrap();
    assert!(!first.exists());
}

#[test]
fn a_stop_ends_the_hashing_of_outside_files() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let path = folder.path().join("x.jpg");
    fs::write(&path, "x").unwrap();
    let listed = FileList::of("x.jpg", &path);
    let stop = Stop::default();
    assert!(
        cache
            .digest_each(listed.clone(), false, &stop, &|_| {})
            .is_ok()
    );
    stop.request();
    let error = cache
        .digest_each(listed, false, &stop, &|_| {})
        .unwrap_err();
    assert_eq!(error.class(), Class::Interrupted);
}
