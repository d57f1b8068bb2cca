//! Networks as ONNX files (IR 8, opset 17). A family says in its own folder which nodes it is; here stands what all have in common:
//! the messages, the layers, what happens to pixels in front of a network and to its logits behind it.

mod graph;
mod layers;
mod picture;
pub mod proto;

use std::{num::NonZeroU32, path::Path};

use prost::Message;

pub(super) use self::{
    graph::{Graph, Value},
    proto::AttributeProto,
};
use self::{
    picture::Sizes,
    proto::{
        Dimension, FLOAT, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto,
        UINT8, ValueInfoProto,
    },
};
use super::{ModelState, families::family, load_weights};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
    record::CheckpointInfo,
    text::shown_path,
};

/// The set of operators.
pub const OPSET: i64 = 17;
/// The version of the format that came with it.
const IR: i64 = 8;

/// What of a model goes into a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Asked {
    /// The network alone: from floats, normalised already, to logits.
    pub raw: bool,
    /// Images at a time; any number if not given.
    pub batch: Option<NonZeroU32>,
    /// What logits are divided by before they become probabilities; 1 if not given.
    pub temperature: Option<f64>,
    /// The key of the stage that gave the model, as lock files write it; a foreign file has none.
    pub key: Option<Digest>,
}

/// Writes a model file as ONNX. Gives what of the file was passed over.
///
/// The default takes `pixels`, u8 [batch, 3, height, width], the photograph brought to the size of a row; it gives
/// `probabilities` and `logits`, f32 [batch, classes]. `raw` takes `input`, f32, and gives `logits` alone.
///
/// # Errors
/// When `from` is no model, when it does not say how its input is normalised and `raw` is not asked for, or when `to` cannot be written.
pub fn export(from: &Path, to: &Path, weights: Option<&str>, asked: &Asked) -> Result<Vec<String>> {
    let model = load_weights(from, weights)?;
    let mut file =
        model_proto(&model, asked).map_err(|e| e.within(&format!("`{}`", shown_path(from))))?;
    let digest = Digest::of_file(from)?;
    file.metadata_props
        .push(entry("kfood.model", digest.to_string()));
    if let Some(key) = asked.key {
        file.metadata_props
            .push(entry("kfood.key", key.to_string()));
    }
    let bytes = file.encode_to_vec();
    files::replace_with(to, |file| {
        file.write_all(&bytes)
            .map_err(|e| Error::io("write", to, e))
    })?;
    Ok(model.notes)
}

fn model_proto(model: &ModelState, asked: &Asked) -> Result<ModelProto> {
    let info = model.info.as_ref();
    if info.is_none() && !asked.raw {
        return Err(Error::usage("does not say how its input is normalised")
            .help("`--raw` writes the network alone, which takes what you have normalised"));
    }
    let state = model.state.to_f32();
    let mut graph = Graph::new(&state);
    let batch = asked.batch.map_or_else(
        || Dimension::any("batch"),
        |n| Dimension::fixed(n.get().into()),
    );
    let classes = i64::try_from(model.classes).unwrap_or(i64::MAX);
    let output = |name| {
        let shape = vec![batch.clone(), Dimension::fixed(classes)];
        ValueInfoProto::tensor(name, FLOAT, shape)
    };
    let network = family(model.arch).onnx;
    let sizes = info.map(|info| Sizes::of(&info.transform));
    let (input, outputs) = match info.filter(|_| !asked.raw).zip(sizes) {
        Some((info, sizes)) => {
            let x = picture::nodes(&mut graph, "pixels", &sizes, &info.transform.normalize);
            let logits = network(model.arch, &mut graph, &x);
            graph.output("logits", "Identity", &logits, vec![]);
            probabilities(&mut graph, asked.temperature);
            let input = image("pixels", UINT8, &batch, Some(sizes.row));
            (input, vec![output("probabilities"), output("logits")])
        }
        None => {
            let logits = network(model.arch, &mut graph, "input");
            graph.output("logits", "Identity", &logits, vec![]);
            let seen = sizes.map(|sizes| sizes.seen);
            let input = image("input", FLOAT, &batch, seen);
            (input, vec![output("logits")])
        }
    };
    let graph = GraphProto {
        node: graph.nodes,
        name: model.arch.name().to_owned(),
        initializer: graph.constants,
        input: vec![input],
        output: outputs,
    };
    Ok(ModelProto {
        ir_version: IR,
        producer_name: "kfood".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: info.map_or_else(Vec::new, |info| said(info, asked)),
    })
}

/// Images of these sides, or of any.
fn image(name: &str, kind: i32, batch: &Dimension, sides: Option<[i64; 2]>) -> ValueInfoProto {
    let [height, width] = match sides {
        Some(sides) => sides.map(Dimension::fixed),
        None => ["height", "width"].map(Dimension::any),
    };
    let shape = vec![batch.clone(), Dimension::fixed(3), height, width];
    ValueInfoProto::tensor(name, kind, shape)
}

/// The softmax of the logits under a temperature.
fn probabilities(graph: &mut Graph<'_>, temperature: Option<f64>) {
    let logits = match temperature {
        Some(temperature) => {
            let by = graph.floats("temperature", &[], &[temperature as f32]);
            graph.node("Div", "temperature", &["logits", &by], vec![])
        }
        None => "logits".to_owned(),
    };
    let axis = AttributeProto::int("axis", 1);
    graph.output("probabilities", "Softmax", &logits, vec![axis]);
}

/// Under `kfood` the text that a checkpoint carries (classes, transform, provenance); `task`, `names` and `imgsz` as ultralytics
/// writes them, which its users' programs read.
fn said(info: &CheckpointInfo, asked: &Asked) -> Vec<StringStringEntryProto> {
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    let names = info.classes.iter().enumerate();
    let names: Vec<_> = names
        .map(|(i, name)| format!("{i}: {}", json(serde_json::to_string(name))))
        .collect();
    let [height, width] = Sizes::of(&info.transform).row;
    let mut all = vec![
        entry("kfood", json(serde_json::to_string(info))),
        entry("task", "classify".to_owned()),
        entry("names", format!("{{{}}}", names.join(", "))),
        entry("imgsz", format!("[{height}, {width}]")),
    ];
    if let Some(temperature) = asked.temperature.filter(|_| !asked.raw) {
        all.push(entry("kfood.temperature", temperature.to_string()));
    }
    all
}

fn entry(key: &str, value: String) -> StringStringEntryProto {
    StringStringEntryProto {
        key: key.to_owned(),
        value,
    }
}
