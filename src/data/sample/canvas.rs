//! A picture in floating point, shapes with soft edges and light on them, and the noise of a camera.

use image::RgbImage;

/// Red, green, blue; 0 is black and 1 white.
pub(super) type Colour = [f32; 3];

/// A picture under way.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

/// A shape by its centre (or ends) and half extents in pixels.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Turned by `angle` radians.
    Ellipse {
        at: (f32, f32),
        radii: (f32, f32),
        angle: f32,
    },
    /// A rectangle with round corners, turned by `angle` radians.
    Slab {
        at: (f32, f32),
        half: (f32, f32),
        round: f32,
        angle: f32,
    },
    /// A thick line with round ends.
    Rod {
        from: (f32, f32),
        to: (f32, f32),
        radius: f32,
    },
}

/// How a shape looks.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Its own colour.
    pub colour: Colour,
    /// How much darker it grows away from the light and towards its edge, 0 to 1.
    pub shade: f32,
    /// Strength of a highlight, 0 to 1.
    pub gloss: f32,
    /// Strength of its texture, 0 to 1.
    pub texture: f32,
    /// Size of the texture's grain in pixels.
    pub grain: f32,
    /// Blur of the edge in pixels.
    pub soft: f32,
    /// 0 to 1.
    pub opacity: f32,
    /// Draws other texture.
    pub seed: u32,
}

impl Look {
    /// A matt, slightly rough surface.
    pub(super) fn plain(colour: Colour, seed: u32) -> Self {
        Self {
            colour,
            shade: 0.3,
            gloss: 0.0,
            texture: 0.12,
            grain: 3.0,
            soft: 0.8,
            opacity: 1.0,
            seed,
        }
    }
}

impl Shape {
    /// The square that holds it: centre and half side.
    fn bounds(&self) -> ((f32, f32), f32) {
        match *self {
            Self::Ellipse { at, radii, .. } => (at, radii.0.max(radii.1)),
            Self::Slab { at, half, .. } => (at, half.0.hypot(half.1)),
            Self::Rod { from, to, radius } => (
                ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0),
                (to.0 - from.0).hypot(to.1 - from.1) / 2.0 + radius,
            ),
        }
    }

    /// Sine and cosine of its angle.
    fn spin(&self) -> (f32, f32) {
        match *self {
            Self::Ellipse { angle, .. } | Self::Slab { angle, .. } => angle.sin_cos(),
            Self::Rod { .. } => (0.0, 1.0),
        }
    }

    /// Signed distance to the edge in pixels (negative inside; approximate for ellipses) and the place inside, both
    /// coordinates from -1 to 1 along the picture's axes.
    fn locate(&self, x: f32, y: f32, spin: (f32, f32)) -> (f32, f32, f32) {
        match *self {
            Self::Ellipse { at, radii, .. } => {
                let (dx, dy) = (x - at.0, y - at.1);
                let (u, v) = turn(dx, dy, spin);
                let r = length(u / radii.0, v / radii.1);
                let far = radii.0.max(radii.1);
                ((r - 1.0) * radii.0.min(radii.1), dx / far, dy / far)
            }
            Self::Slab {
                at, half, round, ..
            } => {
                let (dx, dy) = (x - at.0, y - at.1);
                let (u, v) = turn(dx, dy, spin);
                let (a, b) = (u.abs() - half.0 + round, v.abs() - half.1 + round);
                let outside = length(a.max(0.0), b.max(0.0)) + a.max(b).min(0.0);
                let far = half.0.max(half.1);
                (outside - round, dx / far, dy / far)
            }
            Self::Rod { from, to, radius } => {
                let (dx, dy) = (to.0 - from.0, to.1 - from.1);
                let squared = (dx * dx + dy * dy).max(1e-6);
                let t = (((x - from.0) * dx + (y - from.1) * dy) / squared).clamp(0.0, 1.0);
                let (u, v) = (x - from.0 - t * dx, y - from.1 - t * dy);
                (length(u, v) - radius, u / radius, v / radius)
            }
        }
    }
}

/// `hypot` guards against overflow, which costs time and cannot happen here.
fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

fn turn(x: f32, y: f32, (sin, cos): (f32, f32)) -> (f32, f32) {
    (x * cos + y * sin, y * cos - x * sin)
}

impl Canvas {
    /// A picture whose every pixel is given by its place.
    pub(super) fn new(width: usize, height: usize, at: impl Fn(f32, f32) -> Colour) -> Self {
        let pixels = (0..width * height)
            .map(|i| at((i % width) as f32, (i / width) as f32))
            .collect();
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Paints a shape; light comes from the upper left.
    pub(super) fn draw(&mut self, shape: &Shape, look: &Look) {
        let (light_u, light_v) = (-0.45, -0.55);
        self.cover(shape, look.soft, |x, y, distance, u, v| {
            let grain = noise(x / look.grain, y / look.grain, look.seed) - 0.5;
            let fine = unit(hash(x as u32, y as u32, look.seed)) - 0.5;
            let slope = -(u * light_u + v * light_v);
            let rim = (1.0 + distance / 6.0).clamp(0.0, 1.0);
            let light = 1.0 - look.shade * (0.55 * slope + 0.45 * rim * rim)
                + look.texture * (1.6 * grain + 0.4 * fine);
            let (du, dv) = (u - light_u, v - light_v);
            let near = (1.0 - (du * du + dv * dv) * 2.5).max(0.0);
            let shine = look.gloss * near * near * near;
            let colour = look.colour.map(|c| (c * light).max(0.0) + shine);
            (look.opacity, colour)
        });
    }

    /// Darkens what lies under a shape, moved away from the light.
    pub(super) fn shadow(&mut self, shape: &Shape, by: f32, strength: f32) {
        let moved = match *shape {
            Shape::Ellipse { at, radii, angle } => Shape::Ellipse {
                at: (at.0 + by, at.1 + by * 1.2),
                radii,
                angle,
            },
            Shape::Slab {
                at,
                half,
                round,
                angle,
            } => Shape::Slab {
                at: (at.0 + by, at.1 + by * 1.2),
                half,
                round,
                angle,
            },
            Shape::Rod { from, to, radius } => Shape::Rod {
                from: (from.0 + by, from.1 + by * 1.2),
                to: (to.0 + by, to.1 + by * 1.2),
                radius,
            },
        };
        self.cover(&moved, by.abs() * 1.5 + 1.0, |_, _, _, _, _| {
            (strength, [0.03, 0.02, 0.02])
        });
    }

    /// Mixes in what `shade` gives for (x, y, distance, u, v), as (opacity, colour), under a shape.
    fn cover(
        &mut self,
        shape: &Shape,
        soft: f32,
        shade: impl Fn(f32, f32, f32, f32, f32) -> (f32, Colour),
    ) {
        let ((cx, cy), reach) = shape.bounds();
        let (reach, spin) = (reach + soft + 1.0, shape.spin());
        let span = |centre: f32, most: usize| {
            let low = (centre - reach).floor().clamp(0.0, most as f32) as usize;
            let high = (centre + reach).ceil().clamp(0.0, most as f32) as usize;
            low..high
        };
        for row in span(cy, self.height) {
            for column in span(cx, self.width) {
                let (x, y) = (column as f32, row as f32);
                let (distance, u, v) = shape.locate(x, y, spin);
                let cover = (0.5 - distance / soft.max(0.5)).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let (opacity, colour) = shade(x, y, distance, u, v);
                    let under = &mut self.pixels[row * self.width + column];
                    let a = cover * opacity;
                    for c in 0..3 {
                        under[c] += (colour[c] - under[c]) * a;
                    }
                }
            }
        }
    }

    /// Changes every pixel by its place from -1 to 1 and its colour.
    pub(super) fn develop(&mut self, change: impl Fn(f32, f32, Colour) -> Colour) {
        let (width, height) = (self.width, self.height);
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let u = (i % width) as f32 / width as f32 * 2.0 - 1.0;
            let v = (i / width) as f32 / height as f32 * 2.0 - 1.0;
            *pixel = change(u, v, *pixel);
        }
    }

    /// Blurs with a 3x3 kernel; `strength` 0 to 1.
    pub(super) fn blur(&mut self, strength: f32) {
        let before = self.pixels.clone();
        let at = |x: usize, y: usize| before[y * self.width + x];
        for y in 0..self.height {
            for x in 0..self.width {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(self.width - 1));
                let (up, down) = (y.saturating_sub(1), (y + 1).min(self.height - 1));
                let near = [at(left, y), at(right, y), at(x, up), at(x, down)];
                let pixel = &mut self.pixels[y * self.width + x];
                for c in 0..3 {
                    let mean = near.iter().map(|n| n[c]).sum::<f32>() / 4.0;
                    pixel[c] += (mean - pixel[c]) * strength * 0.8;
                }
            }
        }
    }

    /// 8 bits a channel, with a sensor's noise.
    pub(super) fn expose(&self, grain: f32, seed: u32) -> RgbImage {
        let mut image = RgbImage::new(self.width as u32, self.height as u32);
        for (i, (to, from)) in image.pixels_mut().zip(&self.pixels).enumerate() {
            let (x, y) = ((i % self.width) as u32, (i / self.width) as u32);
            for c in 0..3 {
                let draw = hash(x, y, seed ^ c as u32);
                let (one, other) = ((draw & 0xffff) as f32, (draw >> 16) as f32);
                let value = from[c] + grain * ((one + other) / 65536.0 - 1.0);
                to[c] = (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            }
        }
        image
    }
}

/// Smooth noise from 0 to 1, with a grain of one unit.
pub(super) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let corner =
        |dx: f32, dy: f32| unit(hash((fx + dx) as i32 as u32, (fy + dy) as i32 as u32, seed));
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (smooth(x - fx), smooth(y - fy));
    let top = corner(0.0, 0.0) * (1.0 - tx) + corner(1.0, 0.0) * tx;
    let bottom = corner(0.0, 1.0) * (1.0 - tx) + corner(1.0, 1.0) * tx;
    top * (1.0 - ty) + bottom * ty
}

/// A number from 0 to 1.
pub(super) fn unit(hash: u32) -> f32 {
    (hash >> 8) as f32 / (1 << 24) as f32
}

/// Mixes a place and a seed (multiply and xor-shift, after Wang's integer hash).
pub(super) fn hash(x: u32, y: u32, seed: u32) -> u32 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}
