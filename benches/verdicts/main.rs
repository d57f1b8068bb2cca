//! `cargo bench --bench verdicts`: how often `kfood compare` says that a recipe beats another where it does not, and how often where it does;
//! how often the interval of a gap between two parts holds the true one; and how often a calibration error is further off than chance makes it:
//! 10,000 draws a cell, of the last 2,000.

#![allow(clippy::print_stdout, reason = "a table is what it makes")]

mod parts;
mod sureness;
mod world;

use parts::Parts;
use sureness::Sureness;
use world::World;

const DRAWS: u64 = 10_000;
const IMAGES: usize = 319;

fn main() {
    // `cargo bench --bench verdicts -- gaps`: that table alone.
    let tables: [(&str, fn()); 3] = [
        ("compared", compared),
        ("gaps", gaps),
        ("sureness", calibration),
    ];
    let asked = |name| std::env::args().any(|word| word == name);
    let all = !tables.iter().any(|(name, _)| asked(*name));
    for (name, table) in tables {
        if all || asked(name) {
            table();
            println!();
        }
    }
}

fn compared() {
    println!(
        "| runs | sd over seeds, in points | truly better by | said to beat |\n|---|---|---:|---:|"
    );
    let even = |n: usize| [n, n];
    for n in [2, 3, 5, 10] {
        for sd in [0.0, 0.01, 0.04, 0.08] {
            row(even(n), even2(sd), 0.0);
        }
    }
    for runs in [[2, 3], [2, 5], [3, 5], [2, 10]] {
        for seed_sd in [[0.04, 0.04], [0.08, 0.0], [0.0, 0.08]] {
            row(runs, seed_sd, 0.0);
        }
    }
    for n in [2, 3, 5] {
        for better_by in [0.05, 0.10, 0.15] {
            row(even(n), even2(0.01), better_by);
        }
    }
}

fn even2(sd: f64) -> [f64; 2] {
    [sd, sd]
}

fn row(runs: [usize; 2], seed_sd: [f64; 2], better_by: f64) {
    let world = World {
        images: IMAGES,
        runs,
        seed_sd,
        better_by,
    };
    let [a, b] = seed_sd.map(|sd| 100.0 * sd);
    println!(
        "| {} and {} | {a:.0} and {b:.0} | {:.0} | {:.1}% |",
        runs[0],
        runs[1],
        100.0 * better_by,
        100.0 * world.share(DRAWS)
    );
}

/// Parts on which nearly all is right, or nearly nothing, and such on which it is not; runs that agree little, much and nearly wholly.
fn gaps() {
    println!(
        "| accuracy | images | runs | images differ by, in logits | the interval holds the gap |\n|---|---|---:|---:|---:|"
    );
    let parts = [
        ([0.99, 0.96], [20, 40]),
        ([0.97, 0.97], [20, 40]),
        ([0.03, 0.03], [20, 40]),
        ([0.97, 0.97], [100, 100]),
        ([0.99, 0.97], [319, 156]),
        ([0.95, 0.90], [40, 60]),
        ([0.60, 0.60], [40, 60]),
    ];
    for (accuracy, images) in parts {
        for difficulty in [1.5, 6.0, 30.0] {
            for runs in [2, 3, 5] {
                let parts = Parts {
                    images,
                    accuracy,
                    runs,
                    difficulty,
                };
                println!(
                    "| {:.0}% and {:.0}% | {} and {} | {runs} | {difficulty} | {:.1}% |",
                    100.0 * accuracy[0],
                    100.0 * accuracy[1],
                    images[0],
                    images[1],
                    100.0 * parts.held(DRAWS)
                );
            }
        }
    }
}

/// Of models that are as sure as they are right, and of such that are not.
fn calibration() {
    println!(
        "| images | too sure by | above what chance makes | below it | interval holds |\n|---:|---:|---:|---:|---:|"
    );
    for images in [40, 200, 1000] {
        for too_sure in [1.0, 1.5, 2.0] {
            let sureness = Sureness { images, too_sure };
            let [above, below, holds] = sureness.told(DRAWS / 5).map(|share| 100.0 * share);
            println!("| {images} | {too_sure} | {above:.1}% | {below:.1}% | {holds:.1}% |");
        }
    }
}
