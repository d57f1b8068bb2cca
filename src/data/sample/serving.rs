//! What every serving is put together from: colours, pieces, slabs, strands, and where they lie.

use std::f32::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Colour, Look, Shape};

pub(super) const RED: Colour = [0.70, 0.13, 0.05];
pub(super) const GREEN: Colour = [0.24, 0.42, 0.12];
pub(super) const WHITE: Colour = [0.93, 0.90, 0.84];
pub(super) const YOLK: Colour = [0.97, 0.68, 0.10];
pub(super) const EGG: Colour = [0.95, 0.80, 0.34];
pub(super) const CARROT: Colour = [0.90, 0.42, 0.10];
pub(super) const NORI: Colour = [0.07, 0.10, 0.08];
pub(super) const BROWN: Colour = [0.42, 0.26, 0.13];

/// One serving under way.
pub(super) struct Serving<'a> {
    pub(super) canvas: &'a mut Canvas,
    pub(super) rng: &'a mut ChaCha8Rng,
    pub(super) at: (f32, f32),
    pub(super) r: f32,
}

impl Serving<'_> {
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.rng.random::<f32>()
    }

    pub(super) fn some(&mut self, low: u32, high: u32) -> u32 {
        self.rng.random_range(low..=high)
    }

    /// A colour near the given one.
    pub(super) fn near(&mut self, colour: Colour, by: f32) -> Colour {
        let bright = 1.0 + self.between(-by, by);
        colour.map(|c| (c * bright * (1.0 + self.between(-by, by) * 0.5)).clamp(0.0, 1.0))
    }

    /// A place within the share `within` of the plate, evenly spread.
    pub(super) fn place(&mut self, within: f32) -> (f32, f32) {
        let angle = self.between(0.0, TAU);
        let far = self.r * within * self.rng.random::<f32>().sqrt();
        (
            self.at.0 + far * angle.cos(),
            self.at.1 + far * angle.sin() * 0.94,
        )
    }

    pub(super) fn look(&mut self, colour: Colour, by: f32) -> Look {
        let colour = self.near(colour, by);
        Look::plain(colour, self.rng.random())
    }

    /// Draws a shape with its shadow.
    pub(super) fn put(&mut self, shape: Shape, look: Look) {
        let by = (self.r * 0.02).clamp(0.6, 3.0);
        self.canvas.shadow(&shape, by, 0.4);
        self.canvas.draw(&shape, &look);
    }

    /// Something that fills the plate: soup, rice, a bed of leaves.
    pub(super) fn fill(&mut self, colour: Colour, within: f32, gloss: f32) {
        let mut look = self.look(colour, 0.15);
        look.grain = self.r * self.between(0.08, 0.2);
        look.texture = 0.22;
        look.gloss = gloss;
        look.soft = 2.0;
        let radius = self.r * within;
        self.canvas.draw(
            &Shape::Ellipse {
                at: self.at,
                radii: (radius, radius * 0.95),
                angle: 0.0,
            },
            &look,
        );
    }

    /// Round pieces.
    pub(super) fn pieces(
        &mut self,
        n: (u32, u32),
        colour: Colour,
        size: (f32, f32),
        within: f32,
        gloss: f32,
    ) {
        for _ in 0..self.some(n.0, n.1) {
            let at = self.place(within);
            let a = self.r * self.between(size.0, size.1);
            let b = a * self.between(0.6, 1.0);
            let angle = self.between(0.0, PI);
            let mut look = self.look(colour, 0.2);
            look.gloss = gloss;
            self.put(
                Shape::Ellipse {
                    at,
                    radii: (a, b),
                    angle,
                },
                look,
            );
        }
    }

    /// Cut pieces with corners.
    pub(super) fn slabs(
        &mut self,
        n: (u32, u32),
        colour: Colour,
        size: (f32, f32),
        flat: (f32, f32),
    ) {
        for _ in 0..self.some(n.0, n.1) {
            let at = self.place(0.72);
            let a = self.r * self.between(size.0, size.1);
            let b = a * self.between(flat.0, flat.1);
            let angle = self.between(0.0, PI);
            let look = self.look(colour, 0.14);
            self.put(
                Shape::Slab {
                    at,
                    half: (a, b),
                    round: a * 0.2,
                    angle,
                },
                look,
            );
        }
    }

    /// Bent strands such as noodles and stalks: arcs of short rods.
    pub(super) fn strands(
        &mut self,
        n: (u32, u32),
        colour: Colour,
        length: (f32, f32),
        thick: (f32, f32),
        gloss: f32,
    ) {
        for _ in 0..self.some(n.0, n.1) {
            let mut from = self.place(0.68);
            let mut angle = self.between(0.0, TAU);
            let bend = self.between(-0.5, 0.5);
            let steps = 7;
            let step = self.r * self.between(length.0, length.1) / steps as f32;
            let radius = (self.r * self.between(thick.0, thick.1)).max(0.7);
            let mut look = self.look(colour, 0.22);
            look.gloss = gloss;
            for _ in 0..steps {
                let to = (from.0 + step * angle.cos(), from.1 + step * angle.sin());
                let out = (to.0 - self.at.0).hypot(to.1 - self.at.1) > self.r * 0.78;
                let rod = Shape::Rod { from, to, radius };
                self.canvas.shadow(&rod, 1.0, 0.22);
                self.canvas.draw(&rod, &look);
                // A strand that meets the rim turns back into the plate.
                angle += if out { 1.3 } else { bend };
                from = to;
            }
        }
    }

    /// Sesame, chopped scallion, crushed pepper.
    pub(super) fn sprinkle(&mut self, n: (u32, u32), colour: Colour) {
        for _ in 0..self.some(n.0, n.1) {
            let at = self.place(0.75);
            let a = (self.r * self.between(0.012, 0.022)).max(0.8);
            let angle = self.between(0.0, PI);
            let look = self.look(colour, 0.2);
            self.canvas.draw(
                &Shape::Ellipse {
                    at,
                    radii: (a * 1.5, a),
                    angle,
                },
                &look,
            );
        }
    }

    /// Rings of scallion.
    pub(super) fn scallion(&mut self, n: (u32, u32)) {
        for _ in 0..self.some(n.0, n.1) {
            let at = self.place(0.7);
            let a = self.r * self.between(0.035, 0.06);
            let outer = self.look([0.42, 0.62, 0.22], 0.2);
            let inner = self.look([0.68, 0.78, 0.46], 0.1);
            let ring = |a: f32| Shape::Ellipse {
                at,
                radii: (a, a * 0.8),
                angle: 0.3,
            };
            self.put(ring(a), outer);
            self.canvas.draw(&ring(a * 0.5), &inner);
        }
    }

    /// A fried or raw egg.
    pub(super) fn egg(&mut self, at: (f32, f32), size: f32) {
        let white = self.look([0.96, 0.95, 0.90], 0.04);
        let mut yolk = self.look(YOLK, 0.12);
        (yolk.gloss, yolk.shade) = (0.35, 0.25);
        let angle = self.between(0.0, PI);
        let a = self.r * size;
        self.put(
            Shape::Ellipse {
                at,
                radii: (a, a * 0.85),
                angle,
            },
            white,
        );
        self.put(
            Shape::Ellipse {
                at: (at.0 + a * 0.06, at.1 - a * 0.04),
                radii: (a * 0.45, a * 0.43),
                angle,
            },
            yolk,
        );
    }

    /// Slices laid in rows: how rolls are served. `slice` draws one of half size `a` at a place, turned by an angle.
    pub(super) fn rows(
        &mut self,
        size: (f32, f32),
        gap: f32,
        mut slice: impl FnMut(&mut Self, (f32, f32), f32, f32),
    ) {
        let a = self.r * self.between(size.0, size.1);
        let turned = self.between(0.0, PI);
        let (sin, cos) = turned.sin_cos();
        let reach = (self.r * 0.72 / (a * gap)).ceil() as i32;
        for row in -reach..=reach {
            for column in -reach..=reach {
                let x = (column as f32 + self.between(-0.1, 0.1)) * a * gap;
                let y = (row as f32 + self.between(-0.08, 0.08)) * a * gap * 1.12;
                if x.hypot(y) < self.r * 0.64 && self.between(0.0, 1.0) > 0.06 {
                    let at = (self.at.0 + x * cos - y * sin, self.at.1 + x * sin + y * cos);
                    let angle = turned + self.between(-0.25, 0.25);
                    slice(self, at, a, angle);
                }
            }
        }
    }
}
