//! Decodes photographs and says how that went: `cargo bench --bench decode -- FOLDER_OR_FILE…`
//!
//! One line for each file: upright size, what is odd about it or why it cannot be used, milliseconds and the peak of memory
//! that decoding it took beyond what was taken before (both the worse of `fast` and `exact`), and the PSNR of `fast` against
//! `exact` in dB. Then the means, the images a second of one core, and the largest of each.

#![allow(clippy::print_stdout, reason = "a program that measures")]

use std::{env, fs, path::Path, time::Instant};

use kfood::{
    data::{Resampler, Row},
    record::Unusable,
    settings::{Count, Pixels, Quality, Resize},
};

fn main() {
    let files = named();
    if files.is_empty() {
        return println!("decode: name folders or files behind `--`");
    }
    let side = Count::new(224).expect("not zero");
    let of = |quality| {
        Resampler::new(Pixels {
            quality,
            ..Pixels::new(Resize::squash(side, side))
        })
    };
    let (mut fast, mut exact) = (of(Quality::Fast), of(Quality::Exact));
    let (mut ratios, mut seconds) = (Vec::new(), [0.0, 0.0]);
    let (mut worst_seconds, mut worst_mib) = (0.0_f64, 0);
    for file in &files {
        let bytes = fs::read(file).expect("a file that can be read");
        let (one, fast_seconds, fast_mib) = measured(&mut fast, &bytes);
        let (other, exact_seconds, exact_mib) = measured(&mut exact, &bytes);
        let (longer, mib) = (fast_seconds.max(exact_seconds), fast_mib.max(exact_mib));
        worst_seconds = worst_seconds.max(longer);
        worst_mib = worst_mib.max(mib);
        let told = match (&one, &other) {
            (Ok(one), Ok(other)) => {
                seconds[0] += fast_seconds;
                seconds[1] += exact_seconds;
                let ratio = psnr(&one.pixels, &other.pixels);
                ratios.push(ratio);
                let Row {
                    width,
                    height,
                    format,
                    odd,
                    ..
                } = one;
                format!(
                    "{format} {width}x{height} {} ({ratio:.1} dB)",
                    odd.join(", ")
                )
            }
            (Err(why), Err(other)) if why == other => why.to_string(),
            _ => format!("{:?} / {:?}", one.map(|_| ()), other.map(|_| ())),
        };
        println!(
            "{}: {told} [{:.1} ms, {mib} MiB]",
            file.display(),
            longer * 1e3
        );
    }
    let n = ratios.len() as f64;
    println!(
        "{} files, {n} usable; fast against exact: mean {:.1} dB, worst {:.1} dB; fast {:.0}/s, exact {:.0}/s; at most {worst_seconds:.2} s and {worst_mib} MiB",
        files.len(),
        ratios.iter().sum::<f64>() / n,
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        n / seconds[0],
        n / seconds[1],
    );
}

/// The files that were named, and those of named folders.
fn named() -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    // cargo itself adds `--bench`.
    for path in env::args().skip(1).filter(|a| !a.starts_with("--")) {
        collect(Path::new(&path), &mut files);
    }
    files.sort();
    files
}

fn collect(path: &Path, files: &mut Vec<std::path::PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder that can be read") {
            collect(&entry.expect("an entry").path(), files);
        }
    } else {
        files.push(path.to_owned());
    }
}

/// The row, the seconds, and the mebibytes beyond what was resident before.
fn measured(resampler: &mut Resampler, bytes: &[u8]) -> (Result<Row, Unusable>, f64, u64) {
    // Makes the kernel forget the peak; without that (not Linux) the peak is of all so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let before = resident("VmRSS:");
    let start = Instant::now();
    let row = resampler.decode(bytes, None);
    let seconds = start.elapsed().as_secs_f64();
    (row, seconds, resident("VmHWM:").saturating_sub(before))
}

fn resident(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// Peak signal to noise ratio of 8-bit values in dB, at most 99.
fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let squares = one
        .iter()
        .zip(other)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum::<f64>();
    (10.0 * (255.0 * 255.0 * one.len() as f64 / squares).log10()).min(99.0)
}
