//! What is drawn for one image: its geometry, its colours, what it loses. From (seed, epoch, sample) alone, on the host.

mod erase;
mod policy;
mod random;
mod window;

use rand_chacha::ChaCha8Rng;

use super::{
    affine::Size,
    color::{Color, Operation},
    geometry::{Geometry, Map},
};
use crate::settings::{
    Augment, ColorJitter, GaussianBlur, ProgressiveResizing, RandomAffine, Side, Training,
};

pub(crate) use erase::Rectangle;
use random::{below, uniform, unit};
pub(crate) use window::Window;

/// All that happens to one image, in this order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Augmented {
    /// One sampling, whatever the place of the geometric items between those of colour.
    pub(crate) geometry: Geometry,
    /// One after the other, on values from 0 to 1.
    pub(crate) colors: Vec<Color>,
    /// Behind normalisation.
    pub(crate) erased: Option<Rectangle>,
}

impl From<Geometry> for Augmented {
    fn from(geometry: Geometry) -> Self {
        Self {
            geometry,
            colors: Vec::new(),
            erased: None,
        }
    }
}

impl Augmented {
    /// Draws for one image; `rng` is the stream of that image in that epoch. `shown` is the size at which that epoch shows an image
    /// of a size. What is drawn of geometry does not depend on it: the whole result is made smaller, in the same sampling.
    pub(crate) fn draw(
        augment: &[Augment],
        source: Size,
        shown: impl Fn(Size) -> Size,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let mut drawn = Self::from(Geometry::new(source));
        for item in augment {
            drawn.push(item, &shown, rng);
        }
        let (full, shown) = (drawn.geometry.result(), shown(drawn.geometry.result()));
        if shown != full {
            drawn.geometry.shrink(shown);
        }
        drawn
    }

    fn push(&mut self, item: &Augment, shown: impl Fn(Size) -> Size, rng: &mut ChaCha8Rng) {
        let geometry = &mut self.geometry;
        match item {
            Augment::RandomRotation(degrees) => {
                let degrees = degrees.get();
                geometry.rotate(uniform(rng, [-degrees, degrees]));
            }
            Augment::RandomAffine(settings) => {
                let map = affine(settings, geometry.result(), rng);
                geometry.affine(&map);
            }
            Augment::CenterCrop(side) => {
                let side = side.get() as usize;
                geometry.center_crop(Size::new(side, side));
            }
            Augment::RandomHorizontalFlip(p) => {
                if unit(rng) < p.get() {
                    geometry.horizontal_flip();
                }
            }
            Augment::RandomVerticalFlip(p) => {
                if unit(rng) < p.get() {
                    geometry.vertical_flip();
                }
            }
            Augment::RandomResizedCrop(settings) => {
                let window = Window::draw(settings, geometry.result(), rng);
                let side = settings.size.get() as usize;
                geometry.resized_crop(window, Size::new(side, side));
            }
            Augment::ColorJitter(settings) => self.colors.extend(jitter(settings, rng)),
            Augment::RandomGrayscale(p) => {
                if unit(rng) < p.get() {
                    self.colors.push(Color::new(Operation::Grayscale, 0.0));
                }
            }
            Augment::GaussianBlur(settings) => self.colors.extend(blur(settings, rng)),
            Augment::RandAugment(settings) => policy::rand_augment(self, settings, rng),
            Augment::TrivialAugmentWide(settings) => {
                policy::trivial_augment_wide(self, settings, rng);
            }
            Augment::AutoAugment(settings) => policy::auto_augment(self, *settings, rng),
            Augment::RandomErasing(settings) => {
                self.erased = Rectangle::draw(settings, shown(geometry.result()), rng);
            }
        }
    }
}

/// The size of what a training shows in an epoch (from 1).
pub(crate) fn shown_size(training: &Training, source: Size, epoch: u32) -> Size {
    let square = |side: Side| Size::new(side.get() as usize, side.get() as usize);
    let crop = training.augment.iter().rev().find_map(|item| match item {
        Augment::CenterCrop(side) => Some(square(*side)),
        Augment::RandomResizedCrop(crop) => Some(square(crop.size)),
        _ => None,
    });
    let full = crop.unwrap_or(source);
    match &training.progressive_resizing {
        Some(resizing) => resized(resizing, epoch, full),
        None => full,
    }
}

/// The size at which progressive resizing shows an image of the size `full` in an epoch (from 1).
pub(crate) fn resized(resizing: &ProgressiveResizing, epoch: u32, full: Size) -> Size {
    let side = resizing.side(epoch, full.short_side() as u32);
    full.with_short_side(side as usize)
}

/// torchvision's `RandomAffine.make_params`: shifts are whole pixels.
fn affine(settings: &RandomAffine, size: Size, rng: &mut ChaCha8Rng) -> Map {
    let angle = uniform(rng, settings.degrees.get());
    let sides = [size.width as f64, size.height as f64];
    let most: [f64; 2] = std::array::from_fn(|i| settings.translate[i].get() * sides[i]);
    let translate = most.map(|most| uniform(rng, [-most, most]).round_ties_even());
    let scale = uniform(rng, settings.scale.map(|s| s.get()));
    let shear = [settings.shear.x(), settings.shear.y()].map(|range| uniform(rng, range));
    Map {
        angle,
        translate,
        scale,
        shear,
        centre: [0.0; 2],
    }
}

/// torchvision's `ColorJitter.make_params`: a random order, and a factor for each.
fn jitter(settings: &ColorJitter, rng: &mut ChaCha8Rng) -> Vec<Color> {
    if unit(rng) >= settings.p.get() {
        return Vec::new();
    }
    let mut all = [
        (Operation::Brightness, settings.brightness.get(), 1.0),
        (Operation::Contrast, settings.contrast.get(), 1.0),
        (Operation::Saturation, settings.saturation.get(), 1.0),
        (Operation::Hue, settings.hue.get(), 0.0),
    ];
    // Fisher and Yates.
    for i in (1..all.len()).rev() {
        all.swap(i, below(rng, (i + 1) as f64) as usize);
    }
    let changes = all
        .into_iter()
        .filter(|(_, range, nothing)| *range != [*nothing; 2]);
    changes
        .map(|(operation, range, _)| Color::new(operation, uniform(rng, range)))
        .collect()
}

fn blur(settings: &GaussianBlur, rng: &mut ChaCha8Rng) -> Option<Color> {
    if unit(rng) >= settings.p.get() {
        return None;
    }
    let sigma = uniform(rng, settings.sigma.map(|s| s.get()));
    let kernel = settings.kernel_size.get();
    Some(Color::new(Operation::GaussianBlur(kernel), sigma))
}

#[cfg(test)]
mod tests;
