//! `tta = "five_crop"`: whether the model that is evaluated has corners, as far as the file says how it was trained.

use super::preprocess::Preprocess;
use crate::{
    config::{build::Builder, data_path::Network, file::Span},
    settings::{Training, Tta},
};

/// Notes where a model has no views of its corners on the rows of a pack.
pub(crate) fn check(
    builder: &mut Builder<'_>,
    at: &Span,
    model: usize,
    data: Option<usize>,
) -> Option<()> {
    let Some(data) = data else {
        return Some(());
    };
    let resize = builder.get::<Preprocess>(data)?.pixels.resize;
    let rows = (resize.width(), resize.height());
    for number in trained(builder, model) {
        let training = builder.made(number).training();
        let crop = training.and_then(Training::center_crop);
        if let Err(why) = Tta::corners(crop, rows) {
            let why = match number == model {
                true => why,
                false => format!("{why}: `{}`", builder.id(number)),
            };
            builder.tell(at, why, Some(Tta::WITHOUT_CORNERS));
            return None;
        }
    }
    Some(())
}

/// The trainings that a model may come to, or that answer in it: what a select may choose, what an ensemble has.
fn trained(builder: &Builder<'_>, number: usize) -> Vec<usize> {
    if builder.made(number).training().is_some() {
        return vec![number];
    }
    let of = |id: &String| builder.number(id).map(|number| trained(builder, number));
    match builder.made(number).network() {
        Network::OneOf(from) | Network::All(from) => from.iter().filter_map(of).flatten().collect(),
        Network::Of(one) => of(&one.to_owned()).unwrap_or_default(),
        Network::Built(_) | Network::Unknown => Vec::new(),
    }
}
