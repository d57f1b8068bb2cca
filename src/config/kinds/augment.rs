//! The list of augmentations with the place of each item, and whether its sizes fit the pack.

use toml::Spanned;

use super::super::build::Builder;
use crate::settings::{Augment, Resize};

/// `augment` as written.
pub(crate) type Items = Vec<Spanned<Augment>>;

/// Notes a centre crop that is larger than the image it is cut from, in training or in evaluation.
pub(crate) fn check(builder: &mut Builder<'_>, items: &Items, resize: Resize) -> Option<()> {
    let pack = (resize.width(), resize.height());
    // Evaluation leaves the random items out, so that it may see another size.
    let (mut training, mut evaluation) = (pack, pack);
    let mut cropped = false;
    for item in items {
        match item.get_ref() {
            Augment::CenterCrop(_) if cropped => {
                let help = Some("keep the smaller one");
                builder.tell(&item.span(), "a second `center_crop`", help);
                return None;
            }
            Augment::CenterCrop(side) => {
                cropped = true;
                let side = side.get();
                let least = |(width, height): (u32, u32)| width.min(height);
                let (width, height) = if least(training) < least(evaluation) {
                    training
                } else {
                    evaluation
                };
                if side > width.min(height) {
                    let message = format!(
                        "`center_crop` of {side} pixels is larger than the image, which is {width} x {height}"
                    );
                    let help = format!("crop {} or less, or `resize` to more", width.min(height));
                    builder.tell(&item.span(), message, Some(&help));
                    return None;
                }
                (training, evaluation) = ((side, side), (side, side));
            }
            Augment::RandomResizedCrop(crop) => {
                training = (crop.size.get(), crop.size.get());
            }
            _ => {}
        }
    }
    Some(())
}
