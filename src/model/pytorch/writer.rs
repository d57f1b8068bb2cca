//! Writes a state dict as `torch.save(model.state_dict(), …)` does: what `torch.load(weights_only=True)` accepts.

use std::{
    io::{Cursor, Write},
    path::Path,
};

use ::zip::{CompressionMethod, ZipWriter, result::ZipResult, write::SimpleFileOptions};

use super::{
    super::{DType, StateDict, TensorData},
    SAID,
};
use crate::{
    error::{Error, Result},
    files,
    record::CheckpointInfo,
    text::shown_path,
};

/// Data starts at multiples of this, so that PyTorch can map it.
const ALIGNMENT: u16 = 64;

/// Writes a `.pt` file in one step; equal content gives equal bytes. What a model says about itself stands beside its
/// weights, in an entry that PyTorch passes over.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, state: &StateDict, info: Option<&CheckpointInfo>) -> Result<()> {
    let fail = || Error::failed(format!("cannot write `{}`", shown_path(path)));
    let said = info
        .map(serde_json::to_vec)
        .transpose()
        .map_err(|e| fail().because(e))?;
    // Whole before it is written: the sizes of an entry stand before its content.
    let bytes = to_bytes(state, said.as_deref()).map_err(|e| fail().because(e))?;
    files::replace_with(path, |to| {
        to.write_all(&bytes)
            .map_err(|e| Error::io("write", path, e))
    })
}

pub(super) fn to_bytes(state: &StateDict, said: Option<&[u8]>) -> ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(content.len() as u64 > u64::from(u32::MAX))
            .with_alignment(ALIGNMENT);
        zip.start_file(format!("archive/{name}"), options)?;
        zip.write_all(content)?;
        ZipResult::Ok(())
    };
    add("data.pkl", &program(state))?;
    add("byteorder", b"little")?;
    if let Some(said) = said {
        add(SAID, said)?;
    }
    for (i, (_, tensor)) in state.iter().enumerate() {
        add(&format!("data/{i}"), &tensor.bytes)?;
    }
    add("version", b"3\n")?;
    Ok(zip.finish()?.into_inner())
}

/// The pickle, protocol 2: an `OrderedDict` of rebuilt tensors.
fn program(state: &StateDict) -> Vec<u8> {
    let mut p = Program(b"\x80\x02".to_vec());
    p.ordered_dict();
    p.op(b'('); // MARK
    for (i, (name, tensor)) in state.iter().enumerate() {
        p.text(name);
        p.tensor(i, tensor);
    }
    p.op(b'u'); // SETITEMS
    p.op(b'.'); // STOP
    p.0
}

struct Program(Vec<u8>);

impl Program {
    fn op(&mut self, code: u8) {
        self.0.push(code);
    }

    fn global(&mut self, module: &str, name: &str) {
        self.0.extend(format!("c{module}\n{name}\n").bytes());
    }

    fn text(&mut self, text: &str) {
        self.op(b'X'); // BINUNICODE
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.bytes());
    }

    fn int(&mut self, value: usize) {
        if let Ok(value) = i32::try_from(value) {
            self.op(b'J'); // BININT
            self.0.extend(value.to_le_bytes());
        } else {
            self.0.extend([0x8a, 9]); // LONG1; the ninth byte keeps it positive
            self.0.extend((value as u64).to_le_bytes());
            self.op(0);
        }
    }

    fn ints(&mut self, values: &[usize]) {
        self.op(b'(');
        for &value in values {
            self.int(value);
        }
        self.op(b't'); // TUPLE
    }

    fn ordered_dict(&mut self) {
        self.global("collections", "OrderedDict");
        self.0.extend(b")R"); // EMPTY_TUPLE, REDUCE
    }

    /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`.
    fn tensor(&mut self, key: usize, tensor: &TensorData) {
        let storage = match tensor.dtype {
            DType::F32 => "FloatStorage",
            DType::F16 => "HalfStorage",
            DType::Bf16 => "BFloat16Storage",
            DType::I64 => "LongStorage",
        };
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.0.extend(b"((");
        self.text("storage");
        self.global("torch", storage);
        self.text(&key.to_string());
        self.text("cpu");
        self.int(tensor.len());
        self.0.extend(b"tQ"); // TUPLE, BINPERSID
        self.int(0);
        self.ints(&tensor.shape);
        self.ints(&strides(&tensor.shape));
        self.op(0x89); // NEWFALSE
        self.ordered_dict();
        self.0.extend(b"tR");
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}
