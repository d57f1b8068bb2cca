//! `kfood export`: a model file in another format, or its card.

mod card;

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use crate::{
    cli::{calibration::calibrated, open, print},
    error::{Error, Result},
    model::{self, onnx, timm},
    text::shown_path,
};

/// Convert a model file: to ONNX, to PyTorch's `.pt` or to `.safetensors`, by the ending of the second name; `.md` writes its model card.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// A model file, or a stage of a pipeline: pipelines/mission2.toml:best.
    pub model: String,
    /// The new file: .onnx, .pt, .pth, .safetensors or .md.
    pub output: PathBuf,
    /// In place of the ending: a folder for `timm.create_model("local-dir:FOLDER", pretrained=True)`.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Of a file that holds several sets of weights, one: state_dict_ema.
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// ONNX: probabilities are those under the temperature of a `calibrate` stage, pipelines/mission2.toml:sure.
    #[arg(long, value_name = "FILE:STAGE", conflicts_with = "raw")]
    pub calibration: Option<String>,
    /// ONNX: the network alone, from floats that are normalised already to logits.
    #[arg(long)]
    pub raw: bool,
    /// ONNX: so many images at a time. Without it any number.
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroU32>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What no ending names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A folder of config.json and model.safetensors, as timm and the Hugging Face Hub have it.
    Timm,
}

pub(in crate::cli) fn export(args: &Export) -> Result<u8> {
    let open::Model { path: model, key } = open::one_model(&args.model)?;
    let weights = args.weights.as_deref();
    let ending = args.output.extension().and_then(|e| e.to_str());
    if let Some(Format::Timm) = args.format {
        of_onnx_alone(args)?;
        let notes = timm::export(&model, &args.output, weights, key)?;
        return done(args, &model, &notes);
    }
    let notes = if ending == Some("md") {
        of_onnx_alone(args)?;
        card::write(&args.model, (&model, key), weights, &args.output)?;
        Vec::new()
    } else if ending == Some("onnx") {
        let calibration = args.calibration.as_deref();
        let calibration = calibration.map(|stage| calibrated(stage, &model, &[]));
        let asked = onnx::Asked {
            raw: args.raw,
            batch: args.batch,
            temperature: calibration.transpose()?.map(|found| found.temperature),
            key,
        };
        onnx::export(&model, &args.output, weights, &asked)?
    } else {
        of_onnx_alone(args)?;
        model::export(&model, &args.output, weights)?
    };
    done(args, &model, &notes)
}

/// Says what was written.
fn done(args: &Export, model: &Path, notes: &[String]) -> Result<u8> {
    for note in notes {
        print::say(note);
    }
    if args.json {
        print::json(&serde_json::json!({ "from": model, "to": args.output }))?;
        return Ok(0);
    }
    print::told(&format!(
        "{}: written from {}",
        shown_path(&args.output),
        shown_path(model)
    ))?;
    Ok(0)
}

/// What other formats have no place for is refused.
fn of_onnx_alone(args: &Export) -> Result<()> {
    let asked = [
        ("--calibration", args.calibration.is_some()),
        ("--raw", args.raw),
        ("--batch", args.batch.is_some()),
    ];
    match asked.into_iter().find(|(_, asked)| *asked) {
        Some((option, _)) => Err(Error::usage(format!(
            "`{option}` is of ONNX files alone, and `{}` is none",
            shown_path(&args.output)
        ))
        .help("end the name in `.onnx`, or leave it out")),
        None => Ok(()),
    }
}
