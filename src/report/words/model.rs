//! What a model is made of.

use crate::report::MadeOf;

/// "ensemble of 5", "average of 3 of 8".
pub(in crate::report) fn made_of(made_of: MadeOf) -> String {
    match made_of {
        MadeOf::Ensemble { members } => format!("ensemble of {members}"),
        MadeOf::Average { used, of: None } => format!("average of {used}"),
        MadeOf::Average { used, of: Some(of) } => format!("average of {used} of {of}"),
    }
}
