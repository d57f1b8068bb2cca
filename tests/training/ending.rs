//! How a training ends: early, without a validation part, or lost.

use kfood::{model, settings::Arch};
use serde_json::json;

use super::{SIDE, World, fit, history, outputs};

#[test]
fn without_a_validation_part_the_last_epoch_is_the_best() {
    let world = World::new(3, 12, SIDE, false);
    let job = world.fit("a", Arch::Resnet18, json!({}));
    let [best, last, _] = outputs(&job);
    assert_eq!(best, last);
    assert!(history(&job).epochs.iter().all(|e| e.validation.is_none()));

    let rule = json!({ "early_stopping": { "patience": 1 } });
    let ran = fit(&world.fit("b", Arch::Resnet18, rule));
    assert_eq!(ran.code, Some(2));
    assert!(ran.failure().contains("needs a validation part"));
}

#[test]
fn early_stopping_ends_a_training_that_does_not_improve() {
    let world = World::small();
    let settings = json!({
        "epochs": 9,
        "optimizer": { "sgd": { "lr": 1e-12 } },
        "early_stopping": { "patience": 2, "min_delta": 0.9 },
    });
    let job = world.fit("a", Arch::Resnet18, settings);
    outputs(&job);
    let history = history(&job);
    assert_eq!(history.epochs.len(), 3);
    assert!(history.stopped_early.is_some());
}

#[test]
fn a_loss_that_is_no_number_names_the_epoch_and_what_to_try() {
    let world = World::small();
    let ran = fit(&world.fit(
        "a",
        Arch::Resnet18,
        json!({ "optimizer": { "sgd": { "lr": 1e30 } } }),
    ));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.failure().starts_with(
            "the loss is no longer a number from step 2 of 3 in epoch 1 of 2 on, at a learning rate of 1e30; there is no checkpoint yet"
        ),
        "{}",
        ran.failure()
    );
    assert!(ran.failure().contains("\nhelp: lower `lr`"));
}

#[test]
fn a_training_that_is_lost_later_names_a_checkpoint_that_is_usable() {
    let world = World::small();
    // Epoch 1 has a rate of almost nothing; in epoch 2 it is far too high.
    let job = world.fit(
        "a",
        Arch::Resnet18,
        json!({
            "epochs": 3,
            "optimizer": { "sgd": { "lr": 1e-3 } },
            "schedule": { "multi_step": { "milestones": [1], "gamma": 1e33 } },
        }),
    );
    let ran = fit(&job);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.failure().contains("in epoch 2 of 3"),
        "{}",
        ran.failure()
    );
    let checkpoint = job.state.join("epoch-1.safetensors");
    let named = format!("that of epoch 1: `{}`", checkpoint.display());
    assert!(ran.failure().contains(&named), "{}", ran.failure());
    let model = model::load(&checkpoint).unwrap();
    assert_eq!(model.info.unwrap().epoch.epoch, 1);
}

#[test]
fn a_plateau_needs_a_validation_part_and_one_cycle_moves_the_momentum() {
    let world = World::new(3, 12, SIDE, false);
    let ran = fit(&world.fit(
        "a",
        Arch::Resnet18,
        json!({ "schedule": { "plateau": {} } }),
    ));
    assert_eq!(ran.code, Some(2));
    assert!(ran.failure().contains("needs a validation part"));
    let cycle = |name: &str, cycled: bool| {
        let settings = json!({ "schedule": { "one_cycle": { "cycle_momentum": cycled } } });
        outputs(&world.fit(name, Arch::Resnet18, settings))
    };
    assert_eq!(cycle("b", true), cycle("c", true));
    assert_ne!(cycle("d", true)[1], cycle("e", false)[1]);
}
