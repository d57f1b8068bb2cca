//! `kfood export`: a model file in another format.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{open, print},
    error::Result,
    model,
    text::shown_path,
};

/// Convert a model file: to PyTorch's `.pt` or to `.safetensors`, by the ending of the second name.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// A model file, or a stage of a pipeline: pipelines/mission2.toml:best.
    pub model: String,
    /// The new file: .pt, .pth or .safetensors.
    pub output: PathBuf,
    /// Of a file that holds several sets of weights, one: state_dict_ema.
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn export(args: &Export) -> Result<u8> {
    let model = open::one_model(&args.model)?;
    let notes = model::export(&model, &args.output, args.weights.as_deref())?;
    for note in &notes {
        print::say(note);
    }
    if args.json {
        print::json(&serde_json::json!({ "from": model, "to": args.output }))?;
        return Ok(0);
    }
    print::out(&format!(
        "{}: written from {}",
        shown_path(&args.output),
        shown_path(model)
    ))?;
    Ok(0)
}
