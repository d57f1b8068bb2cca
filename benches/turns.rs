//! What taking turns on the cores costs a process that nobody disturbs: steps of known work with a look for others before each, and
//! the same without, in turn. The look itself is timed too, for the difference of the rates drowns in the noise of most machines.

#![allow(clippy::print_stdout, reason = "a program that measures")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use kfood::native::{next_turn, take_turns};

const ROUNDS: usize = 6;
const STEPS: u32 = 60;
/// About the step of a small network on two cores.
const STEP: Duration = Duration::from_millis(50);

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    take_turns(threads);
    let loops = loops_in(STEP);
    let (mut alone, mut in_turn, mut looking) = (Vec::new(), Vec::new(), Duration::ZERO);
    for _ in 0..ROUNDS {
        alone.push(seconds(|| (0..STEPS).for_each(|_| work(loops))));
        in_turn.push(seconds(|| {
            for _ in 0..STEPS {
                let began = Instant::now();
                next_turn();
                looking += began.elapsed();
                work(loops);
            }
        }));
    }
    let (alone, turns) = (median(&mut alone), median(&mut in_turn));
    let whole: f64 = in_turn.iter().sum();
    println!(
        "{ROUNDS} rounds of {STEPS} steps of about {} ms, medians: {:.2} ms a step without turns, {:.2} with them ({:+.2}%)",
        STEP.as_millis(),
        1000.0 * alone / f64::from(STEPS),
        1000.0 * turns / f64::from(STEPS),
        100.0 * (turns / alone - 1.0),
    );
    println!(
        "the look for others: {:.1} microseconds a step, {:.4}% of the time",
        1e6 * looking.as_secs_f64() / (ROUNDS as f64 * f64::from(STEPS)),
        100.0 * looking.as_secs_f64() / whole,
    );
}

/// Arithmetic that no compiler leaves out.
fn work(loops: u64) {
    let mut x = 1.0_f64;
    for i in 0..loops {
        x = black_box(x.mul_add(0.999_999, i as f64));
    }
}

/// How many loops of [`work`] take so long.
fn loops_in(time: Duration) -> u64 {
    const SOME: u64 = 10_000_000;
    (SOME as f64 * time.as_secs_f64() / seconds(|| work(SOME))) as u64
}

fn seconds(what: impl FnOnce()) -> f64 {
    let began = Instant::now();
    what();
    began.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
