//! Writes one picture as a plain and as a progressive JPEG: of the same coefficients, so that nothing but their order differs.

use std::{f64::consts::PI, mem};

use image::{RgbImage, imageops};

/// Coefficients in the order of the scans.
type Block = [i32; 64];

/// A picture as the coefficients of a JPEG, colours at half its sides.
pub struct Jpeg {
    sides: (u32, u32),
    planes: [Plane; 3],
}

struct Plane {
    /// Blocks of a MCU on each axis.
    sampling: usize,
    /// Blocks across and down that show something of the picture.
    sides: (usize, usize),
    /// Blocks in a row, with those that fill the last MCU.
    stride: usize,
    blocks: Vec<Block>,
}

/// What one scan says of the coefficients from `first` to `last`: all down to bit `low`, or bit `low` alone of what is known above.
struct Scan {
    planes: &'static [usize],
    first: usize,
    last: usize,
    again: bool,
    low: u8,
}

const fn scan(planes: &'static [usize], first: usize, last: usize, again: bool, low: u8) -> Scan {
    Scan {
        planes,
        first,
        last,
        again,
        low,
    }
}

const PLAIN: [Scan; 1] = [scan(&[0, 1, 2], 0, 63, false, 0)];
/// As libjpeg's programs write them.
const PROGRESSIVE: [Scan; 10] = [
    scan(&[0, 1, 2], 0, 0, false, 1),
    scan(&[0], 1, 5, false, 2),
    scan(&[2], 1, 63, false, 1),
    scan(&[1], 1, 63, false, 1),
    scan(&[0], 6, 63, false, 2),
    scan(&[0], 1, 63, true, 1),
    scan(&[0, 1, 2], 0, 0, true, 0),
    scan(&[2], 1, 63, true, 0),
    scan(&[1], 1, 63, true, 0),
    scan(&[0], 1, 63, true, 0),
];
/// What a coefficient is divided by.
const STEP: u8 = 6;

impl Jpeg {
    pub fn new(image: &RgbImage) -> Self {
        let (width, height) = image.dimensions();
        let mcus = [width, height].map(|side| side.div_ceil(16) as usize);
        let half = imageops::thumbnail(image, width.div_ceil(2), height.div_ceil(2));
        let planes = [
            Plane::new(image, 2, mcus, [0.299, 0.587, 0.114]),
            Plane::new(&half, 1, mcus, [-0.1687, -0.3313, 0.5]),
            Plane::new(&half, 1, mcus, [0.5, -0.4187, -0.0813]),
        ];
        let sides = (width, height);
        Self { sides, planes }
    }

    pub fn plain(&self) -> Vec<u8> {
        self.written(0xc0, &PLAIN)
    }

    pub fn progressive(&self) -> Vec<u8> {
        self.written(0xc2, &PROGRESSIVE)
    }

    fn written(&self, frame: u8, scans: &[Scan]) -> Vec<u8> {
        let [width, height] = [self.sides.0, self.sides.1].map(|side| (side as u16).to_be_bytes());
        let components = [3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
        // All codes of a table are of one length: 12 symbols of 4 bits for first coefficients, 251 of 8 bits for the others.
        let codes = |kind: u8, length: u8, symbols: u8| {
            let lengths = (1..=16).map(|bits| if bits == length { symbols } else { 0 });
            let body: Vec<u8> = [kind]
                .into_iter()
                .chain(lengths)
                .chain(0..symbols)
                .collect();
            segment(0xc4, &body)
        };
        let mut out = [
            vec![0xff, 0xd8],
            segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            segment(0xdb, &[&[0][..], &[STEP; 64]].concat()),
            segment(frame, &[&[8][..], &height, &width, &components].concat()),
            codes(0x00, 4, 12),
            codes(0x10, 8, 251),
        ]
        .concat();
        for scan in scans {
            let mut head = vec![scan.planes.len() as u8];
            head.extend(scan.planes.iter().flat_map(|plane| [*plane as u8 + 1, 0]));
            let known = if scan.again { scan.low + 1 } else { 0 };
            head.extend([scan.first as u8, scan.last as u8, known << 4 | scan.low]);
            out.extend(segment(0xda, &head));
            out.extend(self.scanned(scan));
        }
        out.extend([0xff, 0xd9]);
        out
    }

    fn scanned(&self, scan: &Scan) -> Vec<u8> {
        let mut writer = Writer::default();
        if let [plane] = scan.planes {
            let plane = &self.planes[*plane];
            for at in 0..plane.sides.0 * plane.sides.1 {
                let (x, y) = (at % plane.sides.0, at / plane.sides.0);
                writer.block(&plane.blocks[y * plane.stride + x], scan, 0);
            }
        } else {
            let across = self.planes[1].stride;
            for mcu in 0..self.planes[1].blocks.len() {
                for (i, plane) in self.planes.iter().enumerate() {
                    let n = plane.sampling;
                    for (y, x) in (0..n * n).map(|at| (at / n, at % n)) {
                        let (x, y) = (mcu % across * n + x, mcu / across * n + y);
                        writer.block(&plane.blocks[y * plane.stride + x], scan, i);
                    }
                }
            }
        }
        writer.ended()
    }
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&[0xff, marker], &length[..], body].concat()
}

impl Plane {
    fn new(image: &RgbImage, sampling: usize, mcus: [usize; 2], sum: [f64; 3]) -> Self {
        let (width, height) = image.dimensions();
        // Less 128, which colours have nothing of.
        let less = 128.0 * sum.iter().sum::<f64>();
        let value = |x: usize, y: usize| {
            let pixel = image.get_pixel((x as u32).min(width - 1), (y as u32).min(height - 1));
            let parts = pixel.0.iter().zip(sum);
            parts.map(|(v, part)| f64::from(*v) * part).sum::<f64>() - less
        };
        let wave: [[f64; 8]; 8] = std::array::from_fn(|u| {
            let scale = if u == 0 { 0.125_f64.sqrt() } else { 0.5 };
            std::array::from_fn(|x| scale * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos())
        });
        let mut order: Vec<(usize, usize)> = (0..64).map(|at| (at / 8, at % 8)).collect();
        order.sort_by_key(|(v, u)| (u + v, if (u + v) % 2 == 1 { *v } else { *u }));
        let [across, down] = mcus.map(|n| n * sampling);
        let block = |at: usize| -> Block {
            let (left, top) = (at % across * 8, at / across * 8);
            let rows: [[f64; 8]; 8] = std::array::from_fn(|y| {
                let row: [f64; 8] = std::array::from_fn(|x| value(left + x, top + y));
                wave.map(|wave| wave.iter().zip(row).map(|(a, b)| a * b).sum())
            });
            std::array::from_fn(|k| {
                let (v, u) = order[k];
                let sum: f64 = (0..8).map(|y| wave[v][y] * rows[y][u]).sum();
                (sum / f64::from(STEP)).round() as i32
            })
        };
        Self {
            sampling,
            sides: (width.div_ceil(8) as usize, height.div_ceil(8) as usize),
            stride: across,
            blocks: (0..across * down).map(block).collect(),
        }
    }
}

/// The bits of one scan.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    bits: u32,
    count: u32,
    last: [i32; 3],
    /// Blocks that end before they begin, and the bits that correct what is known of them.
    run: u32,
    corrections: Vec<bool>,
}

impl Writer {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.bits = self.bits << 1 | (value >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                let byte = mem::take(&mut self.bits) as u8;
                self.count = 0;
                self.out.push(byte);
                if byte == 0xff {
                    self.out.push(0);
                }
            }
        }
    }

    /// The low bits, one fewer below zero, and how many they are.
    fn value(value: i32) -> (u32, u32) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        let bits = if value < 0 { value - 1 } else { value };
        (bits as u32, size)
    }

    fn correct(&mut self, bits: &mut Vec<bool>) {
        for bit in mem::take(bits) {
            self.put(bit.into(), 1);
        }
    }

    fn end_run(&mut self) {
        if let Some(size) = self.run.checked_ilog2() {
            self.put(size << 4, 8);
            self.put(self.run, size);
        }
        self.run = 0;
        let mut bits = mem::take(&mut self.corrections);
        self.correct(&mut bits);
    }

    fn block(&mut self, block: &Block, scan: &Scan, plane: usize) {
        if scan.first == 0 {
            let first = block[0] >> scan.low;
            if scan.again {
                return self.put(first as u32, 1);
            }
            let (bits, size) = Self::value(first - mem::replace(&mut self.last[plane], first));
            self.put(size, 4);
            self.put(bits, size);
        }
        let band = scan.first.max(1)..=scan.last;
        if band.is_empty() {
            return;
        }
        let rest = band.map(|k| block[k].signum() * (block[k].abs() >> scan.low));
        let rest: Vec<i32> = rest.collect();
        // What becomes known here; from the last of them on there are corrections alone.
        let is_new = |value: &i32| *value != 0 && (!scan.again || value.abs() == 1);
        let behind = rest.iter().rposition(is_new).map_or(0, |at| at + 1);
        let (mut zeros, mut corrections) = (0, Vec::new());
        for (at, value) in rest.iter().enumerate() {
            if *value != 0 && !is_new(value) {
                corrections.push(value & 1 == 1);
                continue;
            }
            if at >= behind {
                continue;
            }
            if *value == 0 {
                zeros += 1;
                // Sixteen zeros, with what was known among them.
                if zeros == 16 {
                    self.end_run();
                    self.put(0xf0, 8);
                    self.correct(&mut corrections);
                    zeros = 0;
                }
                continue;
            }
            self.end_run();
            let (bits, size) = Self::value(*value);
            self.put(zeros << 4 | size, 8);
            self.put(bits, size);
            self.correct(&mut corrections);
            zeros = 0;
        }
        if behind < rest.len() {
            self.run += 1;
            self.corrections.append(&mut corrections);
            // Plain JPEGs know no runs.
            if scan.first == 0 || self.run == 0x7fff {
                self.end_run();
            }
        }
    }

    fn ended(mut self) -> Vec<u8> {
        self.end_run();
        while self.count != 0 {
            self.put(1, 1);
        }
        self.out
    }
}
