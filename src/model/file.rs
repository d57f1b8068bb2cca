//! Any model file, told apart by its first bytes: safetensors, PyTorch's zip, PyTorch's older stream.

use std::{fs::File, io::Read, path::Path};

use super::{
    StateDict, TensorData,
    layout::{Blocks, Role, slots},
    pytorch,
    safetensors::{self, Held},
};
use crate::{
    error::{Error, Result},
    record::CheckpointInfo,
    settings::Arch,
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
}

impl ModelState {
    /// Brings the head's outputs into another order: output `i` becomes what was output `order[i]`.
    ///
    /// # Errors
    /// When the head has no outputs of that number.
    pub fn reorder_outputs(&mut self, order: &[usize]) -> Result<()> {
        for name in ["fc.weight", "fc.bias"] {
            let moved = self.state.get(name).and_then(|t| t.select_rows(order));
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
/// When it cannot be read, is malformed, or is no ResNet with torchvision's names.
pub fn load(path: &Path) -> Result<ModelState> {
    let mut members = load_all(path)?;
    match (members.pop(), members.len()) {
        (Some(one), 0) => Ok(one),
        (_, others) => Err(Error::usage(format!(
            "`{}` is an ensemble of {} models, expected one model",
            path.display(),
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
    let within = |e: Error| e.within(&format!("`{}`", path.display()));
    let Held {
        state,
        info,
        members,
    } = read(path)?;
    let Some(infos) = members else {
        return Ok(vec![understand(state, info).map_err(within)?]);
    };
    let member = |(i, info): (usize, CheckpointInfo)| {
        let own = state.iter().filter_map(|(name, tensor)| {
            let name = name.strip_prefix(&prefix(i))?;
            Some((name.to_owned(), tensor.clone()))
        });
        understand(own.collect(), Some(info)).map_err(within)
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

/// Writes a model file in the format of the new name: `.safetensors`, or `.pt` / `.pth` for PyTorch.
///
/// # Errors
/// When `from` is no model, when `to` has another ending, or when it cannot be written.
pub fn export(from: &Path, to: &Path) -> Result<()> {
    let ending = to.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let model = load(from)?;
    match ending {
        "safetensors" => safetensors::write(to, &model.state, model.info.as_ref()),
        "pt" | "pth" => pytorch::write(to, &model.state),
        _ => Err(
            Error::usage(format!("`{}` names no format of model files", to.display()))
                .help("end the name in `.pt` (PyTorch) or `.safetensors`"),
        ),
    }
}

/// The tensors of a file as they stand there.
fn read(path: &Path) -> Result<Held> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(9).read_to_end(&mut start))
        .map_err(|e| Error::io("read", path, e))?;
    // safetensors: the length of a JSON object, then the object.
    if start.len() == 9 && start[8] == b'{' {
        return safetensors::held(path);
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\x80") {
        return Ok(Held {
            state: pytorch::read(path)?,
            info: None,
            members: None,
        });
    }
    Err(Error::failed(format!("`{}` is no model file", path.display()))
        .help("accepted are safetensors and what PyTorch's `torch.save(model.state_dict(), …)` writes"))
}

fn understand(state: StateDict, info: Option<CheckpointInfo>) -> Result<ModelState> {
    let arch = identify(&state)?;
    if let Some(info) = &info
        && info.arch != arch
    {
        return Err(Error::failed(format!(
            "says that it is a `{}`, and its tensors are those of a `{}`",
            info.arch.name(),
            arch.name()
        )));
    }
    let classes = state.get("fc.bias").map_or(0, TensorData::len);
    if let Some(info) = &info
        && info.classes.len() != classes
    {
        return Err(Error::failed(format!(
            "names {} classes, and its head has {classes}",
            info.classes.len()
        )));
    }
    let state = check(&state, arch, classes)?;
    Ok(ModelState {
        state,
        info,
        arch,
        classes,
    })
}

/// The architecture with these numbers of blocks.
fn identify(state: &StateDict) -> Result<Arch> {
    let has = |name: &str| state.get(name).is_some();
    let count = |layer: usize| {
        (0..state.len())
            .take_while(|block| has(&format!("layer{layer}.{block}.conv1.weight")))
            .count()
    };
    let found = Blocks {
        bottleneck: has("layer1.0.conv3.weight"),
        counts: [1, 2, 3, 4].map(count),
    };
    Arch::ALL.into_iter().find(|&arch| Blocks::of(arch) == found).ok_or_else(|| {
        let names: Vec<_> = state.iter().map(|(name, _)| name).collect();
        let shown = if found.counts == [0; 4] {
            format!("its {} tensors are {}", names.len(), some(&names))
        } else {
            let kind = if found.bottleneck { "bottleneck" } else { "basic" };
            format!("its layers have {:?} {kind} blocks", found.counts)
        };
        Error::failed(format!("is none of the known architectures: {shown}"))
            .help("accepted are torchvision's resnet18, resnet34, resnet50, resnet101 and resnet152 with its names of tensors")
    })
}

/// Holds a state dict against an architecture; gives it back in torchvision's order, with counters that were left out as 0.
///
/// # Errors
/// Naming every tensor that is missing, unexpected, or of another shape.
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
    let unexpected: Vec<_> = state
        .iter()
        .map(|(name, _)| name)
        .filter(|name| checked.get(name).is_none())
        .collect();
    let unexpected: Vec<_> = unexpected
        .into_iter()
        .filter(|name| !slots.iter().any(|slot| slot.name == **name))
        .collect();
    let mut faults = Vec::new();
    if !missing.is_empty() {
        faults.push(format!("missing are {}", some(&missing)));
    }
    if !unexpected.is_empty() {
        faults.push(format!("unexpected are {}", some(&unexpected)));
    }
    if !misshaped.is_empty() {
        let more = if misshaped.len() > 3 {
            format!(" and {} more", misshaped.len() - 3)
        } else {
            String::new()
        };
        misshaped.truncate(3);
        faults.push(format!("{}{more}", misshaped.join(", ")));
    }
    if faults.is_empty() && classes > 0 {
        return Ok(checked);
    }
    if classes == 0 && faults.is_empty() {
        faults.push("the head has no classes".to_owned());
    }
    Err(Error::failed(format!(
        "the tensors are not those of a `{}` with {classes} classes: {}",
        arch.name(),
        faults.join("; ")
    )))
}

/// The first names and a count of the rest.
fn some(names: &[&str]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(8)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() - shown.len() {
        0 if shown.is_empty() => "none".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
