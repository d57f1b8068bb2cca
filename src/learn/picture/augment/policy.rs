//! The policies `rand_augment`, `trivial_augment_wide` and `auto_augment`, with torchvision's operations and strengths.
//!
//! Two things differ from torchvision. Its policies sample the nearest pixel unless told otherwise; here all geometry is
//! bilinear. And where a policy turns an image after it has changed its colours, here the turn comes first, for it joins the
//! image's one matrix: this matters only for operations that look at neighbours or at the whole image (sharpness, contrast,
//! autocontrast, equalize), and for the black outside, which solarize, invert and equalize change.

use rand_chacha::ChaCha8Rng;

use super::super::{
    affine::Size,
    color::{Color, Operation},
    geometry::Map,
};
use super::{
    Augmented,
    random::{below, unit},
};
use crate::settings::{Policy, RandAugment, TrivialAugmentWide};

/// What a policy does to an image. The names are torchvision's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

use Step::{
    AutoContrast, Brightness, Color as Saturation, Contrast, Equalize, Identity, Invert, Posterize,
    Rotate, Sharpness, ShearX, ShearY, Solarize, TranslateX, TranslateY,
};

/// The operations of `rand_augment` and `trivial_augment_wide`.
const STEPS: [Step; 14] = [
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Saturation,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
];

/// The strongest of each kind.
struct Scale {
    /// Sideways pixels by pixel.
    shear: f32,
    /// Shift in pixels.
    translate: Translate,
    /// Degrees.
    rotate: f32,
    /// How far a factor lies from 1.
    factor: f32,
    /// Bits that are dropped.
    bits: f32,
}

enum Translate {
    /// Of the width or height.
    Share(f64),
    Pixels(f32),
}

/// Of `rand_augment` and `auto_augment`.
const USUAL: Scale = Scale {
    shear: 0.3,
    translate: Translate::Share(150.0 / 331.0),
    rotate: 30.0,
    factor: 0.9,
    bits: 4.0,
};

/// Of `trivial_augment_wide`.
const WIDE: Scale = Scale {
    shear: 0.99,
    translate: Translate::Pixels(32.0),
    rotate: 135.0,
    factor: 0.99,
    bits: 6.0,
};

/// Some operations at one strength.
pub(super) fn rand_augment(to: &mut Augmented, settings: &RandAugment, rng: &mut ChaCha8Rng) {
    let strength = Strength {
        scale: &USUAL,
        bin: settings.magnitude,
        bins: settings.num_magnitude_bins.get(),
    };
    for _ in 0..settings.num_ops.get() {
        let step = STEPS[below(rng, STEPS.len() as f64) as usize];
        strength.apply(to, step, rng);
    }
}

/// One operation at a random strength.
pub(super) fn trivial_augment_wide(
    to: &mut Augmented,
    settings: &TrivialAugmentWide,
    rng: &mut ChaCha8Rng,
) {
    let step = STEPS[below(rng, STEPS.len() as f64) as usize];
    let bins = settings.num_magnitude_bins.get();
    let strength = Strength {
        scale: &WIDE,
        bin: below(rng, f64::from(bins)) as u32,
        bins,
    };
    strength.apply(to, step, rng);
}

/// One pair of a learnt policy.
pub(super) fn auto_augment(to: &mut Augmented, policy: Policy, rng: &mut ChaCha8Rng) {
    let pairs = match policy {
        Policy::Imagenet => &IMAGENET,
    };
    for (step, probability, bin) in pairs[below(rng, pairs.len() as f64) as usize] {
        if unit(rng) >= probability {
            continue;
        }
        let strength = Strength {
            scale: &USUAL,
            bin,
            bins: 10,
        };
        strength.apply(to, step, rng);
    }
}

/// A place on a scale.
struct Strength {
    scale: &'static Scale,
    bin: u32,
    bins: u32,
}

impl Strength {
    /// Joins an operation to what is done to the image already.
    fn apply(&self, to: &mut Augmented, step: Step, rng: &mut ChaCha8Rng) {
        let size = to.geometry.result();
        let amount = self.amount(step, size);
        let signed = matches!(
            step,
            ShearX
                | ShearY
                | TranslateX
                | TranslateY
                | Rotate
                | Brightness
                | Saturation
                | Contrast
                | Sharpness
        );
        let amount = if signed && unit(rng) < 0.5 {
            -amount
        } else {
            amount
        };
        // torchvision shears about the upper left corner here.
        let shear = |x: f64, y: f64| Map {
            shear: [x, y].map(|v| v.atan().to_degrees()),
            centre: [-(size.width as f64) / 2.0, -(size.height as f64) / 2.0],
            ..Map::default()
        };
        let translate = |x: f64, y: f64| Map {
            translate: [x.trunc(), y.trunc()],
            ..Map::default()
        };
        let operation = match step {
            Identity => return,
            ShearX => return to.geometry.affine(&shear(amount, 0.0)),
            ShearY => return to.geometry.affine(&shear(0.0, amount)),
            TranslateX => return to.geometry.affine(&translate(amount, 0.0)),
            TranslateY => return to.geometry.affine(&translate(0.0, amount)),
            Rotate => return to.geometry.rotate(amount),
            Brightness => Operation::Brightness,
            Saturation => Operation::Saturation,
            Contrast => Operation::Contrast,
            Sharpness => Operation::Sharpness,
            Posterize => Operation::Posterize,
            Solarize => Operation::Solarize,
            AutoContrast => Operation::Autocontrast,
            Equalize => Operation::Equalize,
            Invert => Operation::Invert,
        };
        to.colors.push(Color::new(
            operation,
            if signed { 1.0 + amount } else { amount },
        ));
    }

    /// How strong: pixels, degrees, distance of a factor from 1, bits left, or a threshold.
    fn amount(&self, step: Step, size: Size) -> f64 {
        let translate = |side: usize| match self.scale.translate {
            Translate::Share(share) => (share * side as f64) as f32,
            Translate::Pixels(pixels) => pixels,
        };
        let to = match step {
            Identity | AutoContrast | Equalize | Invert => return 0.0,
            Posterize => {
                let dropped = self.bin as f32 / ((self.bins - 1) as f32 / self.scale.bits);
                return f64::from((8.0 - dropped).round_ties_even());
            }
            Solarize => return f64::from(linear(1.0, 0.0, self.bin, self.bins)),
            ShearX | ShearY => self.scale.shear,
            TranslateX => translate(size.width),
            TranslateY => translate(size.height),
            Rotate => self.scale.rotate,
            Brightness | Saturation | Contrast | Sharpness => self.scale.factor,
        };
        f64::from(linear(0.0, to, self.bin, self.bins))
    }
}

/// `torch.linspace(from, to, n)[i]` in its arithmetic, from either end and rounded once: a shift in pixels is cut off behind it, so
/// that a last bit counts.
fn linear(from: f32, to: f32, i: u32, n: u32) -> f32 {
    let step = (to - from) / (n.max(2) - 1) as f32;
    if i < n / 2 {
        step.mul_add(i as f32, from)
    } else {
        (-step).mul_add((n - i - 1) as f32, to)
    }
}

/// The policy learnt on ImageNet: pairs of an operation, its probability and its place on a scale of ten.
#[rustfmt::skip]
const IMAGENET: [[(Step, f64, u32); 2]; 25] = [
    [(Posterize, 0.4, 8), (Rotate, 0.6, 9)],
    [(Solarize, 0.6, 5), (AutoContrast, 0.6, 0)],
    [(Equalize, 0.8, 0), (Equalize, 0.6, 0)],
    [(Posterize, 0.6, 7), (Posterize, 0.6, 6)],
    [(Equalize, 0.4, 0), (Solarize, 0.2, 4)],
    [(Equalize, 0.4, 0), (Rotate, 0.8, 8)],
    [(Solarize, 0.6, 3), (Equalize, 0.6, 0)],
    [(Posterize, 0.8, 5), (Equalize, 1.0, 0)],
    [(Rotate, 0.2, 3), (Solarize, 0.6, 8)],
    [(Equalize, 0.6, 0), (Posterize, 0.4, 6)],
    [(Rotate, 0.8, 8), (Saturation, 0.4, 0)],
    [(Rotate, 0.4, 9), (Equalize, 0.6, 0)],
    [(Equalize, 0.0, 0), (Equalize, 0.8, 0)],
    [(Invert, 0.6, 0), (Equalize, 1.0, 0)],
    [(Saturation, 0.6, 4), (Contrast, 1.0, 8)],
    [(Rotate, 0.8, 8), (Saturation, 1.0, 2)],
    [(Saturation, 0.8, 8), (Solarize, 0.8, 7)],
    [(Sharpness, 0.4, 7), (Invert, 0.6, 0)],
    [(ShearX, 0.6, 5), (Equalize, 1.0, 0)],
    [(Saturation, 0.4, 0), (Equalize, 0.6, 0)],
    [(Equalize, 0.4, 0), (Solarize, 0.2, 4)],
    [(Solarize, 0.6, 5), (AutoContrast, 0.6, 0)],
    [(Invert, 0.6, 0), (Equalize, 1.0, 0)],
    [(Saturation, 0.6, 4), (Contrast, 1.0, 8)],
    [(Equalize, 0.8, 0), (Equalize, 0.6, 0)],
];

#[cfg(test)]
mod tests;
