//! What TensorBoard's HParams plugin reads (`tensorboard/plugins/hparams/plugin_data.proto`).
//!
//! A run with a session's start is a trial, and the scalars of the runs below its folder are its metrics. The experiment itself need not be
//! told: TensorBoard takes it from the trials.

use serde_json::Value;

use super::Message;

/// The tag of the start of a session.
pub(super) const START: &str = "_hparams_/session_start_info";
/// That of its end.
pub(super) const END: &str = "_hparams_/session_end_info";

/// `DT_FLOAT` of `tensor.proto`.
const FLOAT: u64 = 1;
/// `DATA_CLASS_TENSOR` of `summary.proto`.
const TENSOR: u64 = 2;
/// `STATUS_SUCCESS` of `api.proto`.
const SUCCESS: u64 = 1;

/// `HParamsPluginData` with a `SessionStartInfo`: settings by name, as JSON or as a text; a time in seconds since 1970.
pub(super) fn session_start<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)>,
    began: f64,
) -> Vec<u8> {
    let mut start = Message::default();
    for (name, written) in settings {
        let Some(value) = value(written) else {
            continue;
        };
        let mut entry = Message::default();
        entry.text(1, name);
        entry.bytes(2, &value.0);
        start.bytes(1, &entry.0);
    }
    start.double(5, began);
    let mut data = Message::default();
    data.bytes(3, &start.0);
    data.0
}

/// `HParamsPluginData` with a `SessionEndInfo` of a finished one.
pub(super) fn session_end(ended: f64) -> Vec<u8> {
    let mut end = Message::default();
    end.number(1, SUCCESS);
    end.double(2, ended);
    let mut data = Message::default();
    data.bytes(4, &end.0);
    data.0
}

/// `google.protobuf.Value`.
fn value(written: &str) -> Option<Message> {
    let mut value = Message::default();
    match serde_json::from_str(written) {
        Ok(Value::Null) => return None,
        Ok(Value::Bool(truth)) => value.number(4, truth.into()),
        Ok(Value::Number(number)) => value.double(2, number.as_f64()?),
        Ok(Value::String(text)) => value.text(3, &text),
        Ok(Value::Array(_) | Value::Object(_)) | Err(_) => value.text(3, written),
    }
    Some(value)
}

/// `SummaryMetadata` that gives some content to the plugin.
pub(super) fn metadata(content: &[u8]) -> Message {
    let mut plugin = Message::default();
    plugin.text(1, "hparams");
    plugin.bytes(2, content);
    let mut metadata = Message::default();
    metadata.bytes(1, &plugin.0);
    metadata.number(4, TENSOR);
    metadata
}

/// A `TensorProto` of one zero, which stands for nothing: a summary without a value is passed over.
pub(super) fn no_value() -> Message {
    let mut dimension = Message::default();
    dimension.number(1, 1);
    let mut shape = Message::default();
    shape.bytes(2, &dimension.0);
    let mut tensor = Message::default();
    tensor.number(1, FLOAT);
    tensor.bytes(2, &shape.0);
    tensor.float(5, 0.0);
    tensor
}
