//! What each dish is made of.
//!
//! A dish is a palette and the statistics of its shapes. Several share a colour (stews and rice cakes are red, rolls and
//! omelettes are slices) so that colour alone does not tell them apart, and every picture varies them strongly.

use std::f32::consts::{PI, TAU};

use rand_chacha::ChaCha8Rng;

use super::{
    canvas::{Canvas, Colour, Shape},
    dish::Dish,
    serving::{BROWN, CARROT, EGG, GREEN, NORI, RED, Serving, WHITE},
};

/// Puts one serving of a dish into a plate or bowl of radius `r` at `at`.
pub(super) fn serve(canvas: &mut Canvas, rng: &mut ChaCha8Rng, dish: Dish, at: (f32, f32), r: f32) {
    let mut table = Serving { canvas, rng, at, r };
    match dish {
        Dish::RolledOmelette => table.rolled_omelette(),
        Dish::SeaweedRice => table.seaweed_rice(),
        Dish::SoybeanStew => table.soybean_stew(),
        Dish::RiceCakes => table.rice_cakes(),
        Dish::Kimchi => table.kimchi(),
        Dish::MixedRice => table.mixed_rice(),
        Dish::SoftTofuStew => table.soft_tofu_stew(),
        Dish::GlassNoodles => table.glass_noodles(),
        Dish::GrilledTofu => table.grilled_tofu(),
        Dish::Mushrooms => table.mushrooms(),
        Dish::Spinach => table.spinach(),
        Dish::SalmonSalad => table.salmon_salad(),
    }
}

impl Serving<'_> {
    fn rolled_omelette(&mut self) {
        let flecks = [CARROT, GREEN];
        self.rows((0.16, 0.23), 2.05, |s, at, a, angle| {
            let mut skin = s.look(EGG, 0.10);
            skin.texture = 0.2;
            let flat = s.between(0.62, 0.8);
            let slab = |k: f32| Shape::Slab {
                at,
                half: (a * k, a * flat * k),
                round: a * 0.34 * k,
                angle,
            };
            s.put(slab(1.0), skin);
            for (k, colour) in [
                (0.78, [0.86, 0.62, 0.18]),
                (0.66, EGG),
                (0.42, [0.86, 0.62, 0.18]),
                (0.30, EGG),
            ] {
                let look = s.look(colour, 0.06);
                s.canvas.draw(&slab(k), &look);
            }
            for _ in 0..s.some(3, 8) {
                let fleck = flecks[s.some(0, 1) as usize];
                let look = s.look(fleck, 0.2);
                let (dx, dy) = (s.between(-0.6, 0.6) * a, s.between(-0.4, 0.4) * a);
                let at = (at.0 + dx, at.1 + dy);
                s.canvas.draw(
                    &Shape::Ellipse {
                        at,
                        radii: (a * 0.09, a * 0.07),
                        angle,
                    },
                    &look,
                );
            }
        });
    }

    fn seaweed_rice(&mut self) {
        self.rows((0.15, 0.22), 2.08, |s, at, a, angle| {
            let nori = s.look(NORI, 0.3);
            let mut rice = s.look(WHITE, 0.06);
            (rice.texture, rice.grain) = (0.22, (a * 0.14).max(1.2));
            let squeeze = s.between(0.84, 1.0);
            let disc = |k: f32| Shape::Ellipse {
                at,
                radii: (a * k, a * k * squeeze),
                angle,
            };
            s.put(disc(1.0), nori);
            s.canvas.draw(&disc(0.86), &rice);
            let fillings = [
                [0.95, 0.80, 0.15],
                CARROT,
                GREEN,
                [0.80, 0.42, 0.36],
                EGG,
                BROWN,
            ];
            let n = s.some(4, 6);
            for i in 0..n {
                let around = TAU * i as f32 / n as f32 + angle;
                let far = a * s.between(0.2, 0.34);
                let colour = fillings[i as usize];
                let look = s.look(colour, 0.16);
                let half = (a * s.between(0.13, 0.2), a * s.between(0.11, 0.17));
                let at = (at.0 + far * around.cos(), at.1 + far * around.sin());
                s.canvas.draw(
                    &Shape::Slab {
                        at,
                        half,
                        round: a * 0.05,
                        angle: around,
                    },
                    &look,
                );
            }
        });
        self.sprinkle((8, 40), [0.86, 0.76, 0.52]);
    }

    fn soybean_stew(&mut self) {
        self.fill([0.50, 0.33, 0.15], 0.86, 0.10);
        self.slabs((5, 11), [0.92, 0.86, 0.70], (0.10, 0.16), (0.7, 1.0));
        self.pieces((3, 8), [0.45, 0.58, 0.22], (0.10, 0.17), 0.66, 0.05); // zucchini
        self.pieces((2, 7), [0.80, 0.70, 0.48], (0.08, 0.13), 0.68, 0.05); // potato
        self.scallion((4, 12));
        self.slabs((0, 4), RED, (0.05, 0.09), (0.25, 0.4));
        self.bubbles([0.66, 0.48, 0.26]);
    }

    fn soft_tofu_stew(&mut self) {
        self.fill([0.66, 0.17, 0.05], 0.86, 0.14);
        self.pieces((6, 14), [0.95, 0.88, 0.80], (0.10, 0.24), 0.64, 0.12);
        self.pieces((10, 24), [0.84, 0.32, 0.10], (0.02, 0.06), 0.74, 0.2); // oil
        if self.some(0, 9) < 6 {
            let at = self.place(0.35);
            self.egg(at, 0.22);
        }
        self.scallion((3, 10));
        self.bubbles([0.80, 0.36, 0.16]);
    }

    fn bubbles(&mut self, colour: Colour) {
        for _ in 0..self.some(6, 26) {
            let at = self.place(0.8);
            let a = self.r * self.between(0.012, 0.035);
            let mut look = self.look(colour, 0.15);
            (look.opacity, look.gloss) = (0.6, 0.3);
            self.canvas.draw(
                &Shape::Ellipse {
                    at,
                    radii: (a, a),
                    angle: 0.0,
                },
                &look,
            );
        }
    }

    fn rice_cakes(&mut self) {
        self.fill(RED, 0.82, 0.12);
        for _ in 0..self.some(10, 22) {
            let at = self.place(0.6);
            let angle = self.between(0.0, TAU);
            let half = self.r * self.between(0.16, 0.27);
            let (dx, dy) = (half * angle.cos(), half * angle.sin());
            let mut look = self.look([0.84, 0.32, 0.13], 0.14);
            (look.gloss, look.shade) = (0.3, 0.45);
            let radius = self.r * self.between(0.055, 0.085);
            self.put(
                Shape::Rod {
                    from: (at.0 - dx, at.1 - dy),
                    to: (at.0 + dx, at.1 + dy),
                    radius,
                },
                look,
            );
        }
        self.slabs((2, 7), [0.78, 0.52, 0.26], (0.14, 0.24), (0.4, 0.7)); // fish cake
        self.scallion((2, 9));
        self.sprinkle((10, 50), [0.93, 0.86, 0.66]);
        if self.some(0, 9) < 3 {
            let at = self.place(0.4);
            self.egg(at, 0.2);
        }
    }

    fn kimchi(&mut self) {
        for _ in 0..self.some(18, 34) {
            let at = self.place(0.62);
            let angle = self.between(-0.7, 0.7) + if self.some(0, 3) == 0 { PI / 2.0 } else { 0.0 };
            let half = (
                self.r * self.between(0.14, 0.30),
                self.r * self.between(0.05, 0.12),
            );
            let colour = match self.some(0, 9) {
                0..=4 => [0.74, 0.20, 0.07],
                5..=7 => [0.88, 0.62, 0.42],
                _ => [0.50, 0.50, 0.18],
            };
            let mut look = self.look(colour, 0.2);
            (look.texture, look.grain, look.gloss) = (0.3, self.r * 0.04 + 1.0, 0.14);
            self.put(
                Shape::Slab {
                    at,
                    half,
                    round: half.1 * 0.6,
                    angle,
                },
                look,
            );
        }
        self.sprinkle((40, 110), [0.62, 0.08, 0.03]);
        self.scallion((0, 5));
    }

    fn mixed_rice(&mut self) {
        self.fill(WHITE, 0.82, 0.0);
        let toppings = [
            GREEN,
            CARROT,
            [0.80, 0.78, 0.60],
            BROWN,
            [0.72, 0.80, 0.45],
            [0.60, 0.18, 0.12],
            EGG,
            [0.30, 0.20, 0.14],
        ];
        let n = self.some(5, 8);
        let first = self.between(0.0, TAU);
        let skip = self.some(0, 7) as usize;
        let centre = self.at;
        let whole = self.r;
        for i in 0..n {
            let around = first + TAU * i as f32 / n as f32;
            let colour = toppings[(i as usize * 3 + skip) % 8];
            let (dx, dy) = (around.cos(), around.sin() * 0.95);
            self.at = (centre.0 + dx * whole * 0.52, centre.1 + dy * whole * 0.52);
            self.r = whole * 0.30;
            self.strands((22, 36), colour, (0.5, 1.2), (0.06, 0.13), 0.05);
        }
        (self.at, self.r) = (centre, whole);
        if self.some(0, 9) < 8 {
            let by = self.place(0.08);
            self.egg(by, 0.27);
        } else {
            self.pieces((1, 1), RED, (0.14, 0.2), 0.1, 0.3);
        }
        self.sprinkle((10, 45), [0.92, 0.85, 0.66]);
    }

    fn glass_noodles(&mut self) {
        self.fill([0.40, 0.26, 0.12], 0.72, 0.0);
        self.strands(
            (80, 130),
            [0.58, 0.41, 0.20],
            (0.7, 1.6),
            (0.014, 0.028),
            0.3,
        );
        self.strands((5, 14), CARROT, (0.3, 0.5), (0.02, 0.035), 0.1);
        self.strands((5, 14), GREEN, (0.3, 0.6), (0.025, 0.045), 0.05);
        self.strands((4, 12), [0.20, 0.13, 0.09], (0.2, 0.5), (0.03, 0.05), 0.1);
        self.strands(
            (20, 40),
            [0.62, 0.45, 0.23],
            (0.7, 1.6),
            (0.014, 0.028),
            0.35,
        );
        self.sprinkle((15, 60), [0.93, 0.87, 0.68]);
    }

    fn grilled_tofu(&mut self) {
        self.rows((0.19, 0.27), 2.1, |s, at, a, angle| {
            let side = s.look([0.92, 0.84, 0.62], 0.06);
            let mut crust = s.look([0.80, 0.56, 0.22], 0.16);
            (crust.texture, crust.grain) = (0.42, a * 0.22 + 1.0);
            let flat = s.between(0.7, 0.95);
            let slab = |k: f32| Shape::Slab {
                at,
                half: (a * k, a * flat * k),
                round: a * 0.1,
                angle,
            };
            s.put(slab(1.0), side);
            s.canvas.draw(&slab(0.88), &crust);
        });
        self.scallion((5, 20));
        self.sprinkle((20, 60), [0.62, 0.12, 0.04]);
    }

    fn mushrooms(&mut self) {
        self.fill([0.38, 0.25, 0.14], 0.62, 0.0);
        for _ in 0..self.some(16, 30) {
            let at = self.place(0.62);
            let angle = self.between(0.0, TAU);
            let a = self.r * self.between(0.10, 0.18);
            let mut cap = self.look([0.50, 0.33, 0.19], 0.25);
            cap.gloss = 0.16;
            let stem = self.look([0.86, 0.77, 0.60], 0.1);
            let to = (at.0 + a * 1.7 * angle.cos(), at.1 + a * 1.7 * angle.sin());
            self.put(
                Shape::Rod {
                    from: at,
                    to,
                    radius: a * 0.32,
                },
                stem,
            );
            self.put(
                Shape::Ellipse {
                    at,
                    radii: (a * 0.6, a),
                    angle,
                },
                cap,
            );
        }
        self.strands((3, 10), CARROT, (0.3, 0.5), (0.02, 0.035), 0.1);
        self.strands((3, 10), GREEN, (0.3, 0.6), (0.03, 0.05), 0.05);
        self.sprinkle((10, 50), [0.93, 0.87, 0.68]);
    }

    fn spinach(&mut self) {
        self.fill([0.13, 0.24, 0.08], 0.62, 0.0);
        self.strands(
            (26, 46),
            [0.44, 0.58, 0.24],
            (0.4, 0.9),
            (0.02, 0.035),
            0.12,
        );
        for _ in 0..self.some(34, 60) {
            let at = self.place(0.66);
            let a = self.r * self.between(0.10, 0.22);
            let angle = self.between(0.0, PI);
            let mut leaf = self.look([0.16, 0.34, 0.10], 0.3);
            (leaf.gloss, leaf.texture) = (0.18, 0.25);
            let b = a * self.between(0.3, 0.55);
            self.put(
                Shape::Ellipse {
                    at,
                    radii: (a, b),
                    angle,
                },
                leaf,
            );
        }
        self.sprinkle((20, 70), [0.93, 0.87, 0.68]);
    }

    fn salmon_salad(&mut self) {
        for _ in 0..self.some(36, 60) {
            let at = self.place(0.72);
            let a = self.r * self.between(0.12, 0.26);
            let angle = self.between(0.0, PI);
            let colour = [[0.42, 0.60, 0.20], [0.60, 0.74, 0.34], [0.38, 0.16, 0.24]]
                [(self.some(0, 6) / 3) as usize];
            let mut leaf = self.look(colour, 0.2);
            (leaf.texture, leaf.grain) = (0.3, self.r * 0.05 + 1.0);
            let b = a * self.between(0.45, 0.8);
            self.put(
                Shape::Ellipse {
                    at,
                    radii: (a, b),
                    angle,
                },
                leaf,
            );
        }
        for _ in 0..self.some(4, 9) {
            let at = self.place(0.52);
            let a = self.r * self.between(0.15, 0.24);
            let angle = self.between(0.0, PI);
            let mut fish = self.look([0.95, 0.52, 0.34], 0.1);
            (fish.gloss, fish.texture) = (0.12, 0.2);
            let fat = self.look([0.98, 0.74, 0.60], 0.05);
            let flat = self.between(0.4, 0.6);
            self.put(
                Shape::Slab {
                    at,
                    half: (a, a * flat),
                    round: a * 0.25,
                    angle,
                },
                fish,
            );
            let (sin, cos) = angle.sin_cos();
            for k in [-0.5_f32, 0.0, 0.5] {
                let (x, y) = (at.0 + k * a * cos, at.1 + k * a * sin);
                let h = a * flat * 0.8;
                let from = (x + h * sin, y - h * cos);
                let to = (x - h * sin, y + h * cos);
                let radius = (a * 0.035).max(0.6);
                self.canvas.draw(&Shape::Rod { from, to, radius }, &fat);
            }
        }
        self.pieces((2, 7), [0.82, 0.14, 0.10], (0.08, 0.12), 0.62, 0.4); // tomatoes
        self.sprinkle((0, 30), [0.20, 0.16, 0.10]);
    }
}
