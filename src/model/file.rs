//! Any model file, told apart by its first bytes: safetensors, PyTorch's zip, PyTorch's older stream.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use super::{
    ACCEPTED, DType, StateDict, TensorData,
    catalog::{Found, Opened},
    layout::{Role, Slot, head, slots},
    published, pytorch,
    recognise::{Recognised, behind, some},
    safetensors, sense, timm,
    wrapped::network,
};
use crate::{
    error::{Error, Result},
    files,
    record::{CheckpointInfo, ModelFile},
    settings::Arch,
    text::{count, shown_path},
};

/// What a model file holds.
#[derive(Clone, Debug)]
pub struct ModelState {
    /// Its tensors, exactly those of the architecture in torchvision's order.
    pub state: StateDict,
    /// What our own checkpoints say about themselves.
    pub info: Option<CheckpointInfo>,
    /// The architecture, read off names and shapes.
    pub arch: Arch,
    /// Outputs of the head.
    pub classes: usize,
    /// What of the file was passed over and why, in sentences.
    pub notes: Vec<String>,
    /// Names of its dictionary that are none of the network.
    pub left_over: Vec<String>,
    /// Tensors that have another shape here.
    pub reshaped: Vec<String>,
    /// How many tensors, besides the head's, are stored in half precision and become 32-bit floats here without loss.
    pub halves: usize,
    /// Whether the head is the file's own.
    pub has_head: bool,
}

impl ModelState {
    /// Brings the head's outputs into another order: output `i` becomes what was output `order[i]`.
    ///
    /// # Errors
    /// When the head has no outputs of that number.
    pub fn reorder_outputs(&mut self, order: &[usize]) -> Result<()> {
        for Slot { name, .. } in head(self.arch, self.classes) {
            let moved = self.state.get(&name).and_then(|t| t.select_rows(order));
            let moved = moved.ok_or_else(|| {
                Error::failed(format!("the model's `{name}` has no {} rows", order.len()))
            })?;
            self.state.insert(name, moved);
        }
        Ok(())
    }
}

/// Reads a model from a checkpoint of ours, a plain safetensors file or a PyTorch file. Its name does not matter.
///
/// # Errors
/// When it cannot be read, is malformed, holds no network with torchvision's names, or several of them.
pub fn load(path: &Path) -> Result<ModelState> {
    load_weights(path, None)
}

/// As [`load`], the set of weights of that name where a file holds several.
///
/// # Errors
/// As [`load`], and when there is none of that name.
pub fn load_weights(path: &Path, weights: Option<&str>) -> Result<ModelState> {
    let mut members = read(path, weights, true)?;
    match (members.pop(), members.len()) {
        (Some(one), 0) => Ok(one),
        (_, others) => Err(Error::usage(format!(
            "`{}` is an ensemble of {} models, expected one model",
            shown_path(path),
            others + 1
        ))
        .help("name one of its members, or an `average` stage of them")),
    }
}

/// As [`load`], or all members of an ensemble of ours, in its order.
///
/// # Errors
/// As [`load`].
pub fn load_all(path: &Path) -> Result<Vec<ModelState>> {
    read(path, None, true)
}

/// As [`load_all`], the set of weights that a job asks for.
///
/// # Errors
/// As [`load_weights`].
pub fn load_members(file: &ModelFile) -> Result<Vec<ModelState>> {
    published::verify(file)?;
    read(&file.path, file.weights.as_deref(), true)
}

/// The network of a file without regard to its head, which a new one replaces: a head that is missing or of another kind is
/// one output of zeros.
///
/// # Errors
/// As [`load_weights`], but not for a head.
pub fn load_network(file: &ModelFile) -> Result<ModelState> {
    published::verify(file)?;
    let mut all = read(&file.path, file.weights.as_deref(), false)?;
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one),
        _ => load_weights(&file.path, file.weights.as_deref()),
    }
}

fn read(path: &Path, weights: Option<&str>, with_head: bool) -> Result<Vec<ModelState>> {
    let file = files::open_regular(path)?;
    understood(file, weights, with_head).map_err(|e| e.within(&format!("`{}`", shown_path(path))))
}

fn understood(file: File, weights: Option<&str>, with_head: bool) -> Result<Vec<ModelState>> {
    let mut opened = open(file)?;
    opened.sets = opened.sets.into_iter().map(timm::in_our_names).collect();
    if let Some(info) = &opened.info {
        sense::check(info)?;
    }
    let Some(infos) = opened.members.take() else {
        let network = network(&mut opened, weights)?;
        let info = opened.info.take();
        return Ok(vec![understand(&mut opened, &network, info, with_head)?]);
    };
    let member = |(i, info): (usize, CheckpointInfo)| {
        sense::check(&info)?;
        let mut network = behind(&opened.sets, 0, prefix(i), info.arch)?;
        // The other members.
        network.rest.clear();
        understand(&mut opened, &network, Some(info), with_head)
    };
    infos.into_iter().enumerate().map(member).collect()
}

/// In front of the names of a member's tensors.
fn prefix(member: usize) -> String {
    format!("{member}.")
}

/// Writes finished models into one file, to be used together: an ensemble.
///
/// # Errors
/// When one is no checkpoint of ours, two tell other classes apart, or it cannot be written.
pub fn write_ensemble(to: &Path, members: &[ModelState]) -> Result<()> {
    let infos: Option<Vec<_>> = members.iter().map(|member| member.info.as_ref()).collect();
    let infos = infos.ok_or_else(|| {
        Error::usage("a member of an ensemble does not say its classes and its transform")
            .help("name train, transfer, select or average stages")
    })?;
    if let Some(other) = infos.iter().position(|i| i.classes != infos[0].classes) {
        return Err(Error::usage(format!(
            "the members of an ensemble tell the same classes apart, and those of member {} are not those of the first: {} against {}",
            other + 1,
            infos[other].classes.join(", "),
            infos[0].classes.join(", ")
        ))
        .help("name models of one data set"));
    }
    let named = |(i, member): (usize, &ModelState)| {
        let prefix = prefix(i);
        let tensors = member.state.iter();
        tensors
            .map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone()))
            .collect::<Vec<_>>()
    };
    let state = members.iter().enumerate().flat_map(named).collect();
    safetensors::write_several(to, &state, &infos)
}

/// Writes a model file in the format of the new name: `.safetensors`, or `.pt` / `.pth` for PyTorch. Gives what of the file was
/// passed over.
///
/// # Errors
/// When `from` is no model, when `to` has another ending, or when it cannot be written.
pub fn export(from: &Path, to: &Path, weights: Option<&str>) -> Result<Vec<String>> {
    let ending = to.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let write = match ending {
        "safetensors" => safetensors::write,
        "pt" | "pth" => pytorch::write,
        _ => {
            return Err(Error::usage(format!(
                "`{}` names no format of model files",
                shown_path(to)
            ))
            .help(
                "end the name in `.onnx`, `.pt` (PyTorch) or `.safetensors`, in `.md` for the model card, or give `--format timm` for a folder",
            ));
        }
    };
    let model = load_weights(from, weights)?;
    write(to, &model.state, model.info.as_ref())?;
    Ok(model.notes)
}

/// A file by its first bytes.
fn open(file: File) -> Result<Opened> {
    let mut start = [0; 300];
    let length = file
        .read_at(&mut start, 0)
        .map_err(|e| Error::failed("cannot be read").because(e))?;
    let start = &start[..length];
    // safetensors: the length of a JSON object, then the object.
    if start.get(8) == Some(&b'{') {
        return safetensors::open(file);
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\x80") {
        return pytorch::open(file);
    }
    let (is, help) = match start {
        [] => ("it is empty", "fetch it again"),
        _ if start.starts_with(b"version https://git-lfs") => (
            "it is a pointer of Git LFS, not the file itself",
            "fetch it: `git lfs pull`",
        ),
        _ if start.starts_with(b"<") => ("it is a web page", "download the file itself"),
        _ if start.starts_with(b"\x89HDF") => ("it is HDF5, as Keras writes it", ACCEPTED),
        // The version of its form, then who wrote it.
        [8, 1..=31, 0x12, ..] => (
            "it is ONNX, which kfood writes and does not read",
            "give the file or the stage that it was exported from",
        ),
        _ if start.starts_with(b"\x1f\x8b") => {
            ("it is compressed with gzip", "unpack it: `gunzip`")
        }
        _ if start.get(257..262) == Some(b"ustar") => {
            ("it is a tar archive", "unpack it: `tar -xf`")
        }
        [0x08, _, 0x12, ..] => (
            "it is ONNX, which kfood writes and does not read",
            "name what it was exported from, a `.pt`, `.safetensors` or a stage, or run it in onnxruntime",
        ),
        _ => (
            "it begins as neither safetensors nor PyTorch's do",
            ACCEPTED,
        ),
    };
    Err(Error::failed(format!("is no model file: {is}")).help(help))
}

fn understand(
    opened: &mut Opened,
    network: &Recognised,
    info: Option<CheckpointInfo>,
    with_head: bool,
) -> Result<ModelState> {
    let arch = network.arch;
    if let Some(info) = &info
        && info.arch != arch
    {
        return Err(Error::failed(format!(
            "says that it is {}, and its tensors are those of {}",
            info.arch.told(),
            arch.told()
        )));
    }
    let mut notes = Vec::new();
    let classes = match network.classes {
        Some(classes) => classes,
        None if with_head => return Err(no_head(network)),
        None => {
            notes.push("its head is of another kind, or missing: a new one is made".to_owned());
            1
        }
    };
    if let Some(info) = &info
        && info.classes.len() != classes
    {
        return Err(Error::failed(format!(
            "names {}, and its head has {classes}",
            count(info.classes.len(), "class")
        )));
    }
    // Where a member of our own ensembles stands is no news.
    if network.label != "." && info.is_none() {
        notes.push(format!("the weights are those under `{}`", network.label));
    }
    if !network.opaque_head.is_empty() {
        let told = network.opaque_head.join(", ");
        notes.push(format!("the head of the file cannot be read: {told}"));
    }
    if !network.rest.is_empty() {
        let names: Vec<_> = network.rest.iter().map(String::as_str).collect();
        notes.push(format!("passed over beside the network: {}", some(&names)));
    }
    let (reshaped, halves) = reshaped(opened, network, classes);
    let state = state(opened, network, classes)?;
    let slots = slots(arch, classes).into_iter();
    let is_head = |slot: &Slot| matches!(slot.role, Role::HeadWeight | Role::HeadBias);
    // A head that is replaced may hold anything.
    let used: Vec<_> = slots.filter(|slot| with_head || !is_head(slot)).collect();
    sense::values(&state, &used)?;
    Ok(ModelState {
        left_over: network.rest.clone(),
        reshaped,
        halves,
        has_head: network.classes.is_some(),
        state,
        info,
        arch,
        classes,
        notes,
    })
}

fn no_head(network: &Recognised) -> Error {
    let others: Vec<_> = network.other_head.iter().map(String::as_str).collect();
    let found = if !network.opaque_head.is_empty() {
        format!("cannot be read: {}", network.opaque_head.join(", "))
    } else if others.is_empty() {
        "is missing".to_owned()
    } else {
        format!("is of another kind: {}", some(&others))
    };
    let [weight, bias] = head(network.arch, 1);
    Error::usage(format!(
        "holds {} whose head (`{}` and `{}`) {found}: it tells no classes apart",
        network.arch.told(),
        weight.name,
        bias.name
    ))
    .help("give it a new head with a `transfer` stage")
}

/// The tensors of a network in torchvision's order, with counters that were left out as 0.
fn state(opened: &mut Opened, network: &Recognised, classes: usize) -> Result<StateDict> {
    let mut state = StateDict::new();
    for slot in slots(network.arch, classes) {
        let name = format!("{}{}", network.prefix, slot.name);
        let head = matches!(slot.role, Role::HeadWeight | Role::HeadBias);
        let tensor = match opened.tensor(network.set, &name)? {
            Some(count) if slot.role == Role::NormCount => {
                TensorData::i64_scalar(batches(&count, &slot.name)?)
            }
            // timm has a layer scale without the sides that are 1.
            Some(tensor) if !head || network.classes.is_some() => TensorData {
                shape: slot.shape.clone(),
                ..tensor
            },
            None if slot.role == Role::NormCount => TensorData::i64_scalar(0),
            _ => TensorData::f32(slot.shape.clone(), &vec![0.0; slot.shape.iter().product()])?,
        };
        state.insert(slot.name, tensor);
    }
    Ok(state)
}

/// The tensors whose shape in the file is another one than they have here, and how many of those
/// that a transfer takes are stored in half precision.
fn reshaped(opened: &Opened, network: &Recognised, classes: usize) -> (Vec<String>, usize) {
    let set = &opened.sets[network.set];
    let (mut reshaped, mut halves) = (Vec::new(), 0);
    for slot in slots(network.arch, classes) {
        let found = set.get(&format!("{}{}", network.prefix, slot.name));
        let Some(Found::Tensor { shape, element, .. }) = found else {
            continue;
        };
        let replaced = matches!(slot.role, Role::HeadWeight | Role::HeadBias);
        let half = matches!(element.kept_as(), DType::F16 | DType::Bf16);
        halves += usize::from(half && !replaced && slot.role != Role::NormCount);
        if *shape != slot.shape {
            reshaped.push(slot.name);
        }
    }
    (reshaped, halves)
}

/// A number of batches of any type.
fn batches(count: &TensorData, name: &str) -> Result<i64> {
    let found = match (count.as_i64(), count.to_f32().first()) {
        (Some(whole), _) => whole,
        (None, Some(float)) if float.is_finite() => float.round() as i64,
        // In half precision a long training counts to infinity; nothing depends on how far it came.
        _ => 0,
    };
    if (0..=sense::BATCHES).contains(&found) {
        return Ok(found);
    }
    Err(Error::failed(format!(
        "`{name}` is {found}, which is no number of batches"
    )))
}

/// Holds a state dict against an architecture; gives it back in torchvision's order, with counters that were left out as 0.
///
/// # Errors
/// Naming every tensor that is missing, unexpected, or of another shape.
#[cfg(feature = "tensors")]
pub(super) fn check(state: &StateDict, arch: Arch, classes: usize) -> Result<StateDict> {
    let slots = slots(arch, classes);
    let (mut missing, mut misshaped) = (Vec::new(), Vec::new());
    let mut checked = StateDict::new();
    for slot in &slots {
        match (state.get(&slot.name), slot.role) {
            // PyTorch before 0.4.1, and many converters, do not write it; some write [1] for a scalar.
            (None, Role::NormCount) => checked.insert(slot.name.clone(), TensorData::i64_scalar(0)),
            (Some(found), Role::NormCount) if found.as_i64().is_some() => {
                checked.insert(
                    slot.name.clone(),
                    TensorData {
                        shape: vec![],
                        ..found.clone()
                    },
                );
            }
            (None, _) => missing.push(slot.name.as_str()),
            (Some(found), role)
                if found.shape == slot.shape
                    && found.dtype.is_float() == (role != Role::NormCount) =>
            {
                checked.insert(slot.name.clone(), found.clone());
            }
            (Some(found), _) => misshaped.push(format!(
                "`{}` is {:?} {:?} instead of {:?}",
                slot.name, found.dtype, found.shape, slot.shape
            )),
        }
    }
    let known: std::collections::HashSet<_> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let names = state.iter().map(|(name, _)| name);
    let unexpected: Vec<_> = names.filter(|name| !known.contains(name)).collect();
    let mut faults = super::recognise::differences(&missing, &unexpected, &misshaped);
    if faults.is_empty() {
        if classes > 0 {
            return Ok(checked);
        }
        faults.push("the head has no classes".to_owned());
    }
    Err(Error::failed(format!(
        "the tensors are not those of {} with {classes} classes: {}",
        arch.told(),
        faults.join("; ")
    )))
}
