//! What a transfer's new head begins with.

use super::declare::words;

words! {
    /// `head = "new"` or `"by_name"`.
    #[derive(Default)]
    pub enum TransferHead {
        /// Every class begins anew.
        #[default]
        New = "new",
        /// A class that the source tells apart under the same name begins with the source's weights for it.
        ByName = "by_name",
    }
}
