//! The list of augmentations with the place of each item, and whether its sizes fit the pack.

use toml::Spanned;

use crate::config::build::Builder;
use crate::settings::{Augment, Count, ProgressiveResizing, Resize};

/// `augment` as written.
pub(crate) type Items = Vec<Spanned<Augment>>;

/// Notes a mistake that an item alone does not show: a crop or a kernel larger than its image, an order that cannot be.
///
/// Gives the shorter side of what a training shows when `resizing` is through.
pub(crate) fn check(
    builder: &mut Builder<'_>,
    items: &Items,
    resize: Resize,
    resizing: Option<ProgressiveResizing>,
) -> Option<u32> {
    let mut shown = through(builder, items, (resize.width(), resize.height()))?;
    let full = least(shown);
    // A kernel must fit the smallest image, which the first epoch shows.
    if let Some(resizing) = resizing {
        let side = resizing.side(1, full);
        let long = |length: u32| (u64::from(side) * u64::from(length) / u64::from(full)) as u32;
        shown = (long(shown.0), long(shown.1));
    }
    for item in items {
        if let Augment::GaussianBlur(blur) = item.get_ref() {
            kernel(builder, item, blur.kernel_size.get(), shown)?;
        }
    }
    Some(full)
}

/// Width and height.
type Sides = (u32, u32);

fn least((width, height): Sides) -> u32 {
    width.min(height)
}

/// What a training shows of an image behind all items.
fn through(builder: &mut Builder<'_>, items: &Items, pack: Sides) -> Option<Sides> {
    // Evaluation leaves the random items out, so that it may see another size.
    let (mut training, mut evaluation) = (pack, pack);
    let mut cropped = false;
    for (place, item) in items.iter().enumerate() {
        match item.get_ref() {
            Augment::CenterCrop(_) if cropped => {
                let help = Some("keep the smaller one");
                builder.tell(&item.span(), "a second `center_crop`", help);
                return None;
            }
            Augment::CenterCrop(side) => {
                cropped = true;
                let side = side.get();
                let smaller = least(training) < least(evaluation);
                crop(
                    builder,
                    item,
                    side,
                    if smaller { training } else { evaluation },
                )?;
                (training, evaluation) = ((side, side), (side, side));
            }
            Augment::RandomResizedCrop(crop) => {
                training = (crop.size.get(), crop.size.get());
            }
            Augment::RandAugment(policy) => {
                bins(builder, item, policy.num_magnitude_bins)?;
                magnitude(builder, item, policy.magnitude, policy.num_magnitude_bins)?;
            }
            Augment::TrivialAugmentWide(policy) => bins(builder, item, policy.num_magnitude_bins)?,
            Augment::RandomErasing(_) if place + 1 < items.len() => {
                let help = Some("write `random_erasing` last");
                let message = "`random_erasing` acts behind normalisation, and other augmentations follow it in the list";
                builder.tell(&item.span(), message, help);
                return None;
            }
            _ => {}
        }
    }
    Some(training)
}

fn crop(builder: &mut Builder<'_>, item: &Spanned<Augment>, side: u32, image: Sides) -> Option<()> {
    let (width, height) = image;
    if side <= least(image) {
        return Some(());
    }
    let message = format!(
        "`center_crop` of {side} pixels is larger than the image, which is {width} x {height}"
    );
    let help = format!("crop {} or less, or `resize` to more", least(image));
    builder.tell(&item.span(), message, Some(&help));
    None
}

fn kernel(
    builder: &mut Builder<'_>,
    item: &Spanned<Augment>,
    size: u32,
    image: Sides,
) -> Option<()> {
    let (width, height) = image;
    let most = least(image).saturating_mul(2).saturating_sub(1);
    if size <= most {
        return Some(());
    }
    let message = format!(
        "`gaussian_blur` with a kernel of {size} pixels does not fit the image, which is {width} x {height}"
    );
    let help = format!("take a `kernel_size` of {most} or less");
    builder.tell(&item.span(), message, Some(&help));
    None
}

fn bins(builder: &mut Builder<'_>, item: &Spanned<Augment>, bins: Count) -> Option<()> {
    if bins.get() >= 2 {
        return Some(());
    }
    let message = "`num_magnitude_bins = 1` leaves one strength alone";
    let help = Some("take 2 or more; 31 is usual");
    builder.tell(&item.span(), message, help);
    None
}

fn magnitude(
    builder: &mut Builder<'_>,
    item: &Spanned<Augment>,
    magnitude: u32,
    bins: Count,
) -> Option<()> {
    if magnitude < bins.get() {
        return Some(());
    }
    let message = format!(
        "`magnitude = {magnitude}` is beyond the scale, which has `num_magnitude_bins = {}`",
        bins.get()
    );
    let help = format!("take a magnitude from 0 to {}", bins.get() - 1);
    builder.tell(&item.span(), message, Some(&help));
    None
}
