//! `kfood schema`: the JSON Schema of pipeline files.

use clap::Args;

use crate::{
    cli::{print, schema::of_files},
    error::Result,
};

/// Print the JSON Schema of pipeline files, which editors complete and check them with.
#[derive(Debug, Args)]
pub(in crate::cli) struct Schema {}

pub(in crate::cli) fn schema(_: &Schema) -> Result<u8> {
    print::json(&of_files())?;
    Ok(0)
}
