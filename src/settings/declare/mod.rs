//! How a setting is declared: once, with its name, type, default and one sentence.
//!
//! ```ignore
//! settings! {
//!     /// Stops when validation does not improve.
//!     #[example = "{ patience = 5 }"]
//!     #[derive(Clone, Copy, Debug, PartialEq)]
//!     pub struct EarlyStopping {
//!         /// Epochs without improvement before the training ends.
//!         pub patience: Count,
//!         /// The least change that counts as an improvement.
//!         pub min_delta: NonNegative = NonNegative::known(0.0),
//!     }
//! }
//! ```
//!
//! From this come the struct, how it is read (from a pipeline file with places and carets, from a record), how it is written into
//! keys and jobs, `kfood help`, and the tables of `docs/pipeline-file.md`. What is accepted follows from the type; a type that is
//! no number, word or table says it in [`Setting::shape`]. Behind the sentence of a field may stand, in this order:
//!
//! | attribute | what it says |
//! |---|---|
//! | `#[accepts = "…"]` | what is accepted, where the type alone does not tell |
//! | `#[unset = "…"]` | what holds where it is left out, where that is no value of the declaration: `"the file's"` |
//! | `#[by = path]` | a function that reads the value, as serde's `deserialize_with` |
//! | `#[key = if_asked]` | named in keys only where it differs from its default, so that earlier results keep their keys |
//!
//! | macro | for |
//! |---|---|
//! | `settings!` | a table, and with `read as …` one whose fields are read one by one |
//! | `fields!` | the fields of a stage, which are in no key and in no record as they are written |
//! | `words!` | one of a few words: `"auto"`, `"f32"` |
//! | `variants!` | a table with exactly one of a few keys: `optimizer.sgd = { lr = 0.1 }` |
//! | `words_or_tables!` | either of the two: `loss = "focal"`, `loss.focal = { gamma = 2.0 }` |
//!
//! A value that may be written in several ways, such as a word or a table, is read by `Ways`.

mod macros;
mod one_or_more;
mod setting;
mod shape;
mod table;
mod ways;
mod words;

pub(crate) use self::{
    macros::{
        absent, accepts_of, default_of, fields, in_key, needed, reading, settings, structure,
        value_of, with_serde,
    },
    table::{Empty, Key, is_default, words_and_tables},
    ways::{Refused, Ways, empty_table, read_ways},
    words::{
        by_ways, doc_of, no_payload, one_key, payload_shape, plain, variants, words,
        words_or_tables,
    },
};
pub use self::{
    one_or_more::{OneOrMore, WrittenOneOrMore},
    setting::{Described, Setting, Source},
    shape::{End, Field, InKey, Interval, OneOf, Shape, Table, Variant, Word, toml_text},
};
