//! Who is trained on and who validates.
//!
//! [`hold_out`] and [`folds`] place every image for itself, stratified by class. Where images belong together ([`Groups`]: a
//! column of a manifest, an address, look-alikes), [`hold_out_groups`] and [`fold_groups`] place whole groups. [`stable()`]
//! places each by its name alone, so that adding images moves no other. [`given()`] takes the data set's own validation part.
//! [`copies`] of test images are left out before anything is divided ([`without`], [`leave_out`]), [`across`] finds look-alikes in
//! different parts. A given test part is always what it was given as; where there is none, [`drawn_test`] draws one first.

mod given;
mod grouped;
mod groups;
mod held;
mod leaks;
mod plain;
mod stable;
mod tell;
#[cfg(test)]
mod tests;

pub use given::given;
pub use grouped::{fold_groups, hold_out_groups};
pub use groups::Groups;
pub use held::{TestBy, drawn_test};
pub use leaks::{across, copies, join_look_alikes, leave_out, without};
pub use plain::{folds, hold_out};
pub use stable::{Division, stable};
