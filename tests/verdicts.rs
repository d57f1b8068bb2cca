//! How often a recipe is said to beat another where it does not, and where it does, and how often the interval of a gap holds it: a short form of
//! `cargo bench --bench verdicts`.

#[path = "../benches/verdicts/world.rs"]
mod world;

#[path = "../benches/verdicts/parts.rs"]
mod parts;

#[path = "../benches/verdicts/sureness.rs"]
mod sureness;

use parts::Parts;
use sureness::Sureness;
use world::World;

const DRAWS: u64 = 600;

fn said_to_differ(runs: [usize; 2], seed_sd: [f64; 2], better_by: f64) -> f64 {
    let world = World {
        images: 319,
        runs,
        seed_sd,
        better_by,
    };
    world.share(DRAWS)
}

/// One in twenty at most; 600 draws miss that by up to 2.7 points in one of a thousand such tests. The draws are the same each time.
#[test]
fn a_verdict_is_wrong_in_at_most_one_of_twenty_draws_however_much_seeds_differ() {
    for n in [2, 3, 5] {
        for sd in [0.0, 0.04, 0.08] {
            let wrong = said_to_differ([n, n], [sd, sd], 0.0);
            assert!(wrong < 0.077, "{n} runs a side, sd {sd}: {wrong}");
        }
    }
    let wrong = said_to_differ([2, 5], [0.08, 0.0], 0.0);
    assert!(
        wrong < 0.077,
        "where the side with few runs varies: {wrong}"
    );
}

#[test]
fn a_recipe_that_is_much_better_is_found_with_three_runs_a_side() {
    let found = said_to_differ([3, 3], [0.01, 0.01], 0.15);
    assert!(found >= 0.8, "{found}");
}

#[test]
fn one_run_a_side_is_no_verdict() {
    assert_eq!(said_to_differ([1, 1], [0.0, 0.0], 0.5), 0.0);
}

/// Runs that agree on images that are nearly all right, as an ensemble's members do, leave no variance to see: the interval must not shrink to it.
#[test]
fn the_interval_of_a_gap_between_parts_holds_it_where_nearly_all_images_are_right() {
    for (accuracy, images) in [([0.99, 0.96], [20, 40]), ([0.99, 0.97], [319, 156])] {
        for difficulty in [1.5, 30.0] {
            let parts = Parts {
                images,
                accuracy,
                runs: 3,
                difficulty,
            };
            let held = parts.held(DRAWS);
            assert!(held > 0.923, "{parts:?}: {held}");
        }
    }
}

/// 5% of the draws in all; 300 of them miss that by up to 4 points in one of a thousand such tests.
#[test]
fn a_calibrated_model_is_seldom_further_off_than_chance_makes_it_and_one_that_is_too_sure_mostly() {
    for images in [40, 200] {
        let of = |too_sure| Sureness { images, too_sure }.told(DRAWS / 2);
        let [above, below, holds] = of(1.0);
        assert!(above + below < 0.09, "{images}: {above} and {below}");
        assert!(holds > 0.91, "{images}: {holds}");
    }
    let [above, _, holds] = Sureness {
        images: 200,
        too_sure: 2.0,
    }
    .told(DRAWS / 2);
    assert!(above > 0.7 && holds > 0.91, "{above} and {holds}");
}
