//! `cargo bench --bench verdicts`: how often `kfood compare` says that a recipe beats another where it does not, and how often where it does: 10,000 draws a cell.

#![allow(clippy::print_stdout, reason = "a table is what it makes")]

mod world;

use world::World;

const DRAWS: u64 = 10_000;
const IMAGES: usize = 319;

fn main() {
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
