//! Running: reuse, early cut-off, force, parallel stages, failures, panics, stops.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use kfood::{
    cache::Cache,
    error::{Class, Error, Result},
    event::{NotRun, Silent, StageEvent},
    exec::{self, Needs, Options, Outcome, Summary, Taken},
    stage::Resource,
    stop::Stop,
};

use super::fake::{Fake, Heard, NoWorker, boxed, ran, run, run_with, scratch};

fn chain() -> Vec<Fake> {
    vec![
        Fake::new("a", 3),
        Fake::new("b", 5).reads("a", "parity"),
        Fake::new("c", 7).reads("b", "sum"),
    ]
}

fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

#[test]
fn a_second_run_runs_nothing_and_gives_the_same_files() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = chain();
    let first = run(&stages, &cache);
    assert_eq!(ran(&stages), ["a", "b", "c"]);
    let second = run(&stages, &cache);
    assert!(ran(&stages).is_empty());
    assert!(
        second
            .stages()
            .iter()
            .all(|s| matches!(s.outcome, Outcome::Cached))
    );
    assert_eq!(
        first.output("c", "sum").unwrap(),
        second.output("c", "sum").unwrap()
    );
    assert!(second.beside("c", "timing.json").is_some());
    assert!(second.output("c", "other").is_err());
    assert!(folder.path().join("CACHEDIR.TAG").exists());
    assert_eq!(
        fs::read_dir(folder.path().join("attempts"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(fs::read_dir(folder.path().join("runs")).unwrap().count(), 0);
}

#[test]
fn an_unchanged_output_cuts_the_rerun_off() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let mut stages = chain();
    run(&stages, &cache);
    ran(&stages);
    stages[0].value = 5; // As odd as 3: `parity` stays.
    let summary = run(&stages, &cache);
    assert_eq!(ran(&stages), ["a"]);
    assert!(matches!(
        summary.stage("b").unwrap().outcome,
        Outcome::Cached
    ));
    stages[0].value = 3; // Back to a result that is still there.
    run(&stages, &cache);
    assert!(ran(&stages).is_empty());
}

#[test]
fn names_and_order_do_not_count_but_versions_do() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let mut stages = chain();
    run(&stages, &cache);
    ran(&stages);
    stages[1].id = "renamed".to_owned();
    stages[2].reads[0].1 = "renamed".to_owned();
    stages.reverse();
    run(&stages, &cache);
    assert!(ran(&stages).is_empty());
    stages[0].version = 2;
    run(&stages, &cache);
    assert_eq!(ran(&stages), ["c"]);
}

#[test]
fn removed_added_and_swapped_inputs_count() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let sources = [Fake::new("a", 3), Fake::new("b", 4)];
    let with = |last: Fake| sources.iter().cloned().chain([last]).collect::<Vec<_>>();
    let last = || Fake::new("last", 1);
    for last in [
        last().reads("a", "sum").reads("b", "sum"),
        last().reads("b", "sum").reads("a", "sum"),
        last().reads("a", "sum"),
        last(),
    ] {
        let stages = with(last);
        run(&stages, &cache);
        assert!(ran(&stages).contains(&"last".to_owned()));
        run(&stages, &cache);
        assert!(ran(&stages).is_empty());
    }
}

#[test]
fn force_runs_a_stage_again_and_an_equal_result_changes_nothing_below() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = chain();
    let first = run(&stages, &cache);
    ran(&stages);
    let old = first.output("b", "sum").unwrap();
    let summary = run_with(
        &stages,
        &cache,
        &options(|o| o.force = vec!["b".to_owned()]),
    );
    assert_eq!(ran(&stages), ["b"]);
    assert!(matches!(
        summary.stage("c").unwrap().outcome,
        Outcome::Cached
    ));
    assert!(
        old.exists(),
        "a reader of the old result may still be alive"
    );
    assert_ne!(old, summary.output("b", "sum").unwrap());
}

/// The finished results of stages, without running any.
fn finished(stages: &[Fake], targets: &[&str], cache: &Cache) -> Result<Summary> {
    let options = options(|o| o.targets = targets.iter().map(|t| (*t).to_owned()).collect());
    let newest = exec::newest(
        &boxed(stages),
        &options,
        cache,
        &BTreeMap::new(),
        false,
        &Silent,
    )?;
    Ok(newest.summary)
}

#[test]
fn a_target_runs_with_what_it_needs_alone() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = chain();
    let summary = run_with(
        &stages,
        &cache,
        &options(|o| o.targets = vec!["b".to_owned()]),
    );
    assert_eq!(ran(&stages), ["a", "b"]);
    assert_eq!(summary.stages().len(), 2);
    assert!(
        finished(&stages, &[], &cache)
            .unwrap_err()
            .message()
            .contains("`c`")
    );
    let resolved = finished(&stages, &["b"], &cache).unwrap();
    assert_eq!(resolved.keys(), summary.keys());
    assert!(ran(&stages).is_empty());
}

#[test]
fn independent_stages_run_at_once_and_tensor_stages_one_at_a_time() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    // Each of two stages waits until the other has started.
    let barrier = Arc::new(Barrier::new(2));
    let (tensors, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut stages = Vec::new();
    for i in 0..2 {
        let barrier = barrier.clone();
        stages.push(Fake::new(&format!("cpu{i}"), i).acts(move |_| {
            barrier.wait();
            Ok(())
        }));
        let (tensors, most) = (tensors.clone(), most.clone());
        let mut tensor = Fake::new(&format!("tensor{i}"), i).acts(move |_| {
            most.fetch_max(tensors.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            tensors.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        });
        tensor.resource = Resource::Tensor;
        stages.push(tensor);
    }
    let summary = run_with(&stages, &cache, &options(|o| o.jobs = 4));
    assert!(summary.succeeded());
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

/// The most stages at once, of four that take a moment, where each says that it takes so much.
fn most_at_once(needs: Needs, room: Taken) -> usize {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stages: Vec<_> = (0..4)
        .map(|i| {
            let (now, most) = (now.clone(), most.clone());
            Fake::new(&format!("s{i}"), i).acts(move |c| {
                assert_eq!(c.threads, needs.cores.unwrap_or(8));
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(50));
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        })
        .collect();
    let summary = run_with(
        &stages,
        &cache,
        &options(|o| {
            o.jobs = 4;
            o.threads = 8;
            o.needs = BTreeMap::from([("fake", needs)]);
            o.room = room;
        }),
    );
    assert!(summary.succeeded(), "{:?}", summary.first_error());
    most.load(Ordering::SeqCst)
}

#[test]
fn stages_start_as_far_as_the_cores_and_the_memory_go_that_they_say_they_take() {
    let needs = |cores, memory| Needs { cores, memory };
    let room = Taken {
        cores: 8,
        memory: 64,
    };
    assert!(most_at_once(needs(Some(4), None), room) <= 2);
    assert!(most_at_once(needs(Some(1), Some(20)), room) <= 3);
    assert_eq!(most_at_once(needs(Some(5), None), room), 1);
    // What is too much for the machine is tried alone.
    assert_eq!(most_at_once(needs(Some(99), None), room), 1);
    assert_eq!(most_at_once(needs(None, Some(100)), room), 1);
}

#[test]
fn a_stage_without_tensors_has_room_beside_one_with_tensors() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    // Each waits until the other has started.
    let barrier = Arc::new(Barrier::new(2));
    let waits = |id: &str| {
        let barrier = barrier.clone();
        Fake::new(id, 1).acts(move |_| {
            barrier.wait();
            Ok(())
        })
    };
    let mut tensor = waits("tensor");
    tensor.resource = Resource::Tensor;
    tensor.value = 2;
    let summary = run(&[waits("plain"), tensor], &cache);
    assert!(summary.succeeded());
}

#[test]
fn equal_work_under_two_names_is_done_once() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = [Fake::new("one", 3), Fake::new("two", 3)];
    let statuses = super::fake::status(&stages, &cache);
    assert_eq!(statuses["one"], "run: never run");
    assert_eq!(statuses["two"], "waits: one");
    let summary = run_with(&stages, &cache, &options(|o| o.jobs = 4));
    assert_eq!(ran(&stages), ["one"]);
    assert!(matches!(
        summary.stage("two").unwrap().outcome,
        Outcome::Cached
    ));
}

fn failing(keep_going: bool) -> (Summary, Vec<String>) {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = [
        Fake::new("bad", 1).acts(|_| Err(Error::failed("no luck"))),
        Fake::new("below", 2).reads("bad", "sum"),
        Fake::new("further", 2).reads("below", "sum"),
        Fake::new("apart", 3),
    ];
    let summary = run_with(&stages, &cache, &options(|o| o.keep_going = keep_going));
    (summary, ran(&stages))
}

#[test]
fn a_failure_is_told_and_what_needs_it_is_skipped() {
    let (summary, ran) = failing(false);
    assert_eq!(ran, ["bad"]);
    assert_eq!(
        summary.first_error().unwrap().to_string(),
        "stage `bad`: no luck"
    );
    let because = |id: &str| match &summary.stage(id).unwrap().outcome {
        Outcome::Skipped { because } => because.clone(),
        other => panic!("{other:?}"),
    };
    let needs = NotRun::Needs("bad".to_owned());
    assert_eq!(
        [because("below"), because("further")],
        [needs.clone(), needs]
    );
    assert_eq!(because("apart"), NotRun::AfterFailure("bad".to_owned()));
}

#[test]
fn keep_going_runs_what_does_not_need_the_failed_stage() {
    let (summary, ran) = failing(true);
    assert_eq!(ran, ["apart", "bad"]);
    assert!(!summary.succeeded());
    assert!(matches!(
        summary.stage("below").unwrap().outcome,
        Outcome::Skipped { .. }
    ));
}

#[test]
fn a_panic_is_a_failed_stage() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = [Fake::new("bad", 1).acts(|_| panic!("at the disco"))];
    let summary = run(&stages, &cache);
    assert!(
        summary
            .first_error()
            .unwrap()
            .message()
            .contains("at the disco")
    );
}

#[test]
fn a_missing_output_and_one_that_is_no_file_are_failures() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let mut lazy = Fake::new("lazy", 1);
    lazy.act = Some(Arc::new(|c| {
        fs::create_dir(c.out.join("sum")).unwrap();
        Ok(())
    }));
    // Writing over the folder panics; what counts is that nothing is stored.
    assert!(!run(&[lazy], &cache).succeeded());
    assert!(cache.list().is_empty());
}

#[test]
fn a_stop_ends_the_run_as_interrupted_and_state_survives() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stop = Stop::default();
    let request = stop.clone();
    let mut stages = [
        Fake::new("long", 1).acts(move |c| {
            fs::write(c.state.join("epoch"), "37").unwrap();
            fs::write(c.out.join("half"), "").unwrap();
            request.request();
            c.stop.check()
        }),
        Fake::new("apart", 2),
    ];
    let summary = exec::run(
        &boxed(&stages),
        &Options::default(),
        &cache,
        &NoWorker,
        &Silent,
        &stop,
    )
    .unwrap();
    assert_eq!(summary.first_error().unwrap().class(), Class::Interrupted);
    assert!(!summary.succeeded());
    stages[0].act = Some(Arc::new(|c| {
        assert_eq!(fs::read_to_string(c.state.join("epoch")).unwrap(), "37");
        assert!(!c.out.join("half").exists());
        Ok(())
    }));
    assert!(run(&stages, &cache).succeeded());
    assert_eq!(
        fs::read_dir(folder.path().join("attempts"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn two_runs_at_once_share_the_work() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let heard = Arc::new(Heard::default());
    let waits = |heard: &Heard| {
        let heard = heard.0.lock().unwrap();
        heard.iter().any(|(_, e)| matches!(e, StageEvent::Waiting))
    };
    // Whoever has the first stage keeps it until another run waits for it, however slow the machine is.
    let ears = heard.clone();
    let until_another_waits = move |_: &kfood::stage::Context<'_>| {
        for _ in 0..60_000 {
            if waits(&ears) {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    };
    let mut stages = chain();
    stages[0] = stages[0].clone().acts(until_another_waits);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let options = Options::default();
                let summary = exec::run(
                    &boxed(&stages),
                    &options,
                    &cache,
                    &NoWorker,
                    &*heard,
                    &Stop::default(),
                );
                assert!(summary.unwrap().succeeded());
            });
        }
    });
    assert_eq!(ran(&stages), ["a", "b", "c"]);
    assert!(waits(&heard));
    assert!(heard.warnings().is_empty());
}

#[test]
fn events_tell_each_stage_from_start_to_end() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let heard = Heard::default();
    let stages = boxed(&chain());
    exec::run(
        &stages,
        &Options::default(),
        &cache,
        &NoWorker,
        &heard,
        &Stop::default(),
    )
    .unwrap();
    let heard = heard.0.lock().unwrap();
    let of_b: Vec<_> = heard
        .iter()
        .filter(|(id, _)| id == "b")
        .map(|(_, e)| e)
        .collect();
    assert!(
        matches!(of_b[0], StageEvent::Started { reason } if reason.starts_with("`value` 3 -> 5") || reason == "never run"),
        "{of_b:?}"
    );
    assert!(matches!(
        of_b[1],
        StageEvent::Finished { cached: false, .. }
    ));
}
