//! `kfood export`: a model file in another format.

use crate::{
    cli::{args::Export, open, print},
    error::Result,
    model,
    text::shown_path,
};

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
