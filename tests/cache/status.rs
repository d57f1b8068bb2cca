//! What `plan` says.

use kfood::{
    cache::Cache,
    event::Silent,
    exec::{self, Options, Status},
    stage::Resource,
};

use super::fake::{Fake, boxed, run, run_with, scratch, status};

#[test]
fn a_stage_is_cached_runs_or_waits_and_says_why() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let mut stages = vec![
        Fake::new("a", 3),
        Fake::new("b", 5).reads("a", "sum"),
        Fake::new("c", 1),
    ];
    stages[1].settings = serde_json::json!({"optimizer": {"sgd": {"lr": 0.001}}});
    let fresh = status(&stages, &cache);
    assert_eq!(
        (fresh["a"].as_str(), fresh["b"].as_str()),
        ("run: never run", "waits: a")
    );
    run(&stages, &cache);
    assert!(status(&stages, &cache).values().all(|s| s == "cached"));
    stages[1].settings = serde_json::json!({"optimizer": {"sgd": {"lr": 0.01}}});
    assert_eq!(
        status(&stages, &cache)["b"],
        "run: `optimizer.sgd.lr` 0.001 -> 0.01"
    );
    stages[2].version = 2;
    assert_eq!(
        status(&stages, &cache)["c"],
        "run: kfood's own version of this stage is new (1 -> 2)"
    );
    stages[2].version = 1;
    stages[2].resource = Resource::Tensor;
    assert_eq!(
        status(&stages, &cache)["c"],
        "run: libtorch (none) -> 2.11.0"
    );
}

#[test]
fn a_changed_input_is_told_by_its_role() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let mut stages = vec![
        Fake::new("a", 3),
        Fake::new("b", 4),
        Fake::new("c", 1).reads("a", "sum"),
    ];
    run(&stages, &cache);
    stages[2].reads[0].1 = "b".to_owned();
    assert_eq!(
        status(&stages, &cache)["c"],
        "run: input `input0` of `b` changed"
    );
}

#[test]
fn the_nearest_earlier_run_is_that_of_the_same_stage_with_the_fewest_differences() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    for (id, value, modulo) in [("x", 1, 10), ("x", 2, 20), ("other", 3, 10)] {
        run(&[Fake::new(id, value).modulo(modulo)], &cache);
    }
    let said = status(&[Fake::new("x", 3).modulo(20)], &cache);
    assert_eq!(said["x"], "run: `value` 2 -> 3");
}

#[test]
fn a_stage_of_the_same_name_in_another_pipeline_is_another_stage() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let of = |file: &str| Options {
        pipeline: Some(file.to_owned()),
        ..Options::default()
    };
    let said = |stage: Fake, file: &str| {
        let all = exec::status(&boxed(&[stage]), &of(file), &cache, &Silent).unwrap();
        match &all[0].status {
            Status::Run { reasons, .. } => reasons[0].to_string(),
            other => panic!("{other:?}"),
        }
    };
    run_with(&[Fake::new("x", 1).modulo(10)], &cache, &of("a.toml"));
    run_with(&[Fake::new("x", 5).modulo(20)], &cache, &of("b.toml"));
    assert_eq!(
        said(Fake::new("x", 5).modulo(10), "b.toml"),
        "`modulo` 20 -> 10"
    );
    assert_eq!(
        said(Fake::new("x", 5).modulo(10), "a.toml"),
        "`value` 1 -> 5"
    );
}

#[test]
fn forced_stages_say_so_and_estimates_come_from_earlier_runs() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = boxed(&[Fake::new("a", 3), Fake::new("b", 5).reads("a", "sum")]);
    run(
        &[Fake::new("a", 3), Fake::new("b", 5).reads("a", "sum")],
        &cache,
    );
    let forced = |stage: &str| Options {
        force: vec![stage.to_owned()],
        ..Options::default()
    };
    let statuses = exec::status(&stages, &forced("a"), &cache, &Silent).unwrap();
    let Status::Run {
        reasons, estimate, ..
    } = &statuses[0].status
    else {
        panic!("{statuses:?}")
    };
    assert_eq!(reasons[0].to_string(), "forced");
    assert_eq!(estimate.unwrap().bytes, 4);
    assert!(matches!(&statuses[1].status, Status::Waits { on, estimate: Some(_) } if on == &["a"]));
    assert!(exec::status(&stages, &forced("z"), &cache, &Silent).is_err());
}
