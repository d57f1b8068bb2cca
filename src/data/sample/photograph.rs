//! One generated photograph: a table, things around, a plate with a dish, and a camera's view of it.

use std::f32::consts::TAU;

use image::RgbImage;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    canvas::{Canvas, Colour, Look, Shape, hash, noise, unit},
    dish::{Dish, HEALTH, MAIN},
    recipe::serve,
};

/// Width to height.
const ASPECTS: [(f32, f32); 5] = [(4.0, 3.0), (3.0, 4.0), (1.0, 1.0), (3.0, 2.0), (16.0, 10.0)];

/// Table tops: wood, light wood, stone, cloth, dark.
const TABLES: [Colour; 7] = [
    [0.50, 0.33, 0.19],
    [0.74, 0.58, 0.40],
    [0.62, 0.60, 0.57],
    [0.86, 0.83, 0.78],
    [0.20, 0.17, 0.15],
    [0.36, 0.44, 0.48],
    [0.66, 0.30, 0.24],
];

/// Plates and bowls.
const PLATES: [Colour; 6] = [
    [0.93, 0.92, 0.90],
    [0.90, 0.86, 0.76],
    [0.24, 0.24, 0.26],
    [0.58, 0.68, 0.74],
    [0.72, 0.55, 0.40],
    [0.78, 0.82, 0.74],
];

/// Steps of the tone curve.
const CURVE: usize = 4096;

/// Draws one photograph; everything in it comes from `rng`.
pub(super) fn photograph(dish: Dish, rng: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = size(rng);
    let mut canvas = table(width, height, rng);
    let short = width.min(height) as f32;
    let centre = (
        width as f32 * between(rng, 0.40, 0.60),
        height as f32 * between(rng, 0.40, 0.60),
    );
    let r = short * between(rng, 0.33, 0.56);
    things_around(&mut canvas, rng, (width as f32, height as f32), centre, r);
    plate(&mut canvas, rng, centre, r, dish.in_pot());
    serve(&mut canvas, rng, dish, centre, r);
    camera(&mut canvas, rng);
    canvas.expose(between(rng, 0.01, 0.07), rng.random())
}

fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// The longer side is 160 to 480 pixels.
fn size(rng: &mut ChaCha8Rng) -> (usize, usize) {
    let (w, h) = ASPECTS[rng.random_range(0..ASPECTS.len())];
    let long = between(rng, 160.0, 480.0);
    let scale = long / w.max(h);
    ((w * scale).round() as usize, (h * scale).round() as usize)
}

/// A table top with grain.
fn table(width: usize, height: usize, rng: &mut ChaCha8Rng) -> Canvas {
    let colour = TABLES[rng.random_range(0..TABLES.len())];
    let bright = between(rng, 0.8, 1.15);
    let (seed, angle) = (rng.random::<u32>(), between(rng, 0.0, TAU));
    let (sin, cos) = angle.sin_cos();
    let stretch = between(rng, 1.0, 12.0);
    let planks = between(rng, 40.0, 160.0);
    let seams = if rng.random_bool(0.4) { 0.25 } else { 0.0 };
    let weave = between(rng, 0.05, 0.22);
    Canvas::new(width, height, |x, y| {
        let (u, v) = (x * cos + y * sin, y * cos - x * sin);
        let coarse = noise(u / (6.0 * stretch), v / 6.0, seed) - 0.5;
        let fine = unit(hash(x as u32, y as u32, seed)) - 0.5;
        let seam = if (v / planks).rem_euclid(1.0) < 2.0 / planks {
            seams
        } else {
            0.0
        };
        let light = bright * (1.0 + weave * (1.4 * coarse + 0.4 * fine) - seam);
        colour.map(|c| c * light)
    })
}

/// Side dishes of other kinds, chopsticks, napkins: what a classifier has to look past.
fn things_around(
    canvas: &mut Canvas,
    rng: &mut ChaCha8Rng,
    sides: (f32, f32),
    centre: (f32, f32),
    r: f32,
) {
    if rng.random_bool(0.3) {
        napkin(canvas, rng, sides);
    }
    for _ in 0..rng.random_range(0..=3_u32) {
        side_dish(canvas, rng, centre, r);
    }
    if rng.random_bool(0.35) {
        chopsticks(canvas, rng, centre, r);
    }
}

fn napkin(canvas: &mut Canvas, rng: &mut ChaCha8Rng, (width, height): (f32, f32)) {
    let half = (
        width * between(rng, 0.2, 0.5),
        height * between(rng, 0.2, 0.5),
    );
    let at = (width * rng.random::<f32>(), height * rng.random::<f32>());
    let colour = TABLES[rng.random_range(0..TABLES.len())];
    let look = Look::plain(colour, rng.random());
    let angle = between(rng, 0.0, TAU);
    let cloth = Shape::Slab {
        at,
        half,
        round: 3.0,
        angle,
    };
    canvas.shadow(&cloth, 2.0, 0.3);
    canvas.draw(&cloth, &Look { shade: 0.1, ..look });
}

/// A small plate of any dish beside the plate of radius `r`.
fn side_dish(canvas: &mut Canvas, rng: &mut ChaCha8Rng, centre: (f32, f32), r: f32) {
    let around = between(rng, 0.0, TAU);
    let small = r * between(rng, 0.3, 0.48);
    let far = r + small * between(rng, 0.75, 1.3);
    let at = (centre.0 + far * around.cos(), centre.1 + far * around.sin());
    plate(canvas, rng, at, small, false);
    let kinds = MAIN.len() + HEALTH.len();
    let other = rng.random_range(0..kinds);
    let other = *MAIN.iter().chain(&HEALTH).nth(other).unwrap_or(&MAIN[0]);
    serve(canvas, rng, other, at, small);
}

/// Of metal or of wood, at one side of the plate.
fn chopsticks(canvas: &mut Canvas, rng: &mut ChaCha8Rng, centre: (f32, f32), r: f32) {
    let colour = if rng.random_bool(0.5) {
        [0.72, 0.72, 0.74]
    } else {
        [0.40, 0.24, 0.13]
    };
    let look = Look {
        gloss: 0.2,
        ..Look::plain(colour, rng.random())
    };
    let side = if rng.random_bool(0.5) { -1.0 } else { 1.0 };
    let x = centre.0 + side * r * between(rng, 1.05, 1.3);
    for k in 0..2 {
        let x = x + k as f32 * r * 0.09;
        let lean = r * between(rng, -0.12, 0.12);
        let rod = Shape::Rod {
            from: (x, centre.1 - r * 0.9),
            to: (x + lean, centre.1 + r * 0.9),
            radius: (r * 0.024).max(1.0),
        };
        canvas.shadow(&rod, 2.0, 0.35);
        canvas.draw(&rod, &look);
    }
}

/// A plate, a bowl or a stone pot.
fn plate(canvas: &mut Canvas, rng: &mut ChaCha8Rng, at: (f32, f32), r: f32, pot: bool) {
    let pot = if pot {
        rng.random_bool(0.75)
    } else {
        rng.random_bool(0.08)
    };
    let colour = if pot {
        [0.11, 0.10, 0.10]
    } else {
        PLATES[rng.random_range(0..PLATES.len())]
    };
    let disc = |k: f32| Shape::Ellipse {
        at,
        radii: (r * k, r * k * 0.96),
        angle: 0.0,
    };
    let look = Look {
        gloss: 0.15,
        texture: if pot { 0.15 } else { 0.03 },
        ..Look::plain(colour, rng.random())
    };
    canvas.shadow(&disc(1.02), (r * 0.06).max(2.0), 0.55);
    canvas.draw(&disc(1.0), &look);
    let inside = Look {
        colour: colour.map(|c| c * between(rng, 0.84, 0.97)),
        gloss: 0.0,
        shade: 0.18,
        ..look
    };
    canvas.draw(&disc(between(rng, 0.86, 0.93)), &inside);
}

/// Light from one side, the lens, the white balance and the exposure.
fn camera(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
    let angle = between(rng, 0.0, TAU);
    let (sin, cos) = angle.sin_cos();
    let (slope, corner) = (between(rng, 0.0, 0.35), between(rng, 0.0, 0.28));
    let exposure = between(rng, 0.72, 1.28);
    let warmth = between(rng, -0.14, 0.18);
    let gamma = between(rng, 0.8, 1.15);
    let fade = between(rng, 0.0, 0.07);
    let balance = [1.0 + warmth, 1.0 + between(rng, -0.04, 0.04), 1.0 - warmth];
    // The curve as a table: a power for every pixel would cost more than all the rest.
    let curve: Vec<f32> = (0..=CURVE)
        .map(|i| (i as f32 / CURVE as f32 * 1.5).powf(gamma))
        .collect();
    canvas.develop(|u, v, colour| {
        let light = exposure * (1.0 + slope * (u * cos + v * sin) - corner * (u * u + v * v));
        let mut out = colour;
        for c in 0..3 {
            let value = (colour[c] * balance[c] * light).max(0.0);
            out[c] =
                fade + (1.0 - fade) * curve[((value / 1.5 * CURVE as f32) as usize).min(CURVE)];
        }
        out
    });
    for _ in 0..rng.random_range(0..=2_u32) {
        canvas.blur(between(rng, 0.3, 1.0));
    }
}
