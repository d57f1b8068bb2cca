//! Images that are in no part.

use crate::{report::NotUsed, text::shown};

/// What a stage does with them: "`pixels` drops 3 of 40 images".
pub(in crate::report) const fn leaves_out(why: NotUsed) -> &'static str {
    match why {
        NotUsed::CannotBeDecoded => "drops",
        NotUsed::LooksLikeAnother => "leaves out",
    }
}

/// The reason for one image, from what is told of it.
pub(in crate::report) fn why_unused(why: NotUsed, told: &str) -> String {
    match why {
        NotUsed::CannotBeDecoded => told.to_owned(),
        NotUsed::LooksLikeAnother => format!("looks like `{}`", shown(told)),
    }
}
