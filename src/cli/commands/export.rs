//! `kfood export`: a model file in another format.

use crate::{
    cli::{args::Export, open, print},
    error::Result,
    model,
};

pub(in crate::cli) fn export(args: &Export) -> Result<u8> {
    let model = open::one_model(&args.model)?;
    model::export(&model, &args.output)?;
    if args.json {
        print::json(&serde_json::json!({ "from": model, "to": args.output }))?;
        return Ok(0);
    }
    print::out(&format!(
        "{}: written from {}",
        args.output.display(),
        model.display()
    ))?;
    Ok(0)
}
