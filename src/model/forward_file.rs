//! The job `Forward`: one pass in evaluation mode, to be held against another implementation.

use tch::{Device, no_grad_guard};

use super::{DType, Mode, Network, StateDict, load, safetensors, to_data, to_tensor};
use crate::{
    error::{Error, Result},
    record::Forward,
};

/// Reads the model and `x`, and writes `logits.safetensors` into `job.out`.
///
/// # Errors
/// When a file cannot be read or written, or when `x` is not [n, 3, height, width] in f32.
pub fn forward_file(job: &Forward, device: Device) -> Result<()> {
    let model = load(&job.model.path)?;
    let model = Network::from_state(&model.state, model.arch, device)?;
    let (input, _) = safetensors::read(&job.input)?;
    let x = input
        .get("x")
        .filter(|x| x.dtype == DType::F32 && matches!(x.shape[..], [_, 3, _, _]) && !x.is_empty())
        .ok_or_else(|| {
            Error::failed(format!(
                "`{}` holds no f32 tensor `x` of shape [n, 3, height, width]",
                job.input.display()
            ))
        })?;
    let _guard = no_grad_guard();
    let logits = model.forward(&to_tensor(x, device), Mode::Evaluation);
    let mut output = StateDict::new();
    output.insert("logits", to_data(&logits));
    safetensors::write(&job.out.join("logits.safetensors"), &output, None)
}
