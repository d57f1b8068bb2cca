//! What names and their arguments make: tensors, storages and dictionaries; anything else is opaque.

use std::rc::Rc;

use super::{
    super::{
        bad,
        global::Global,
        storage::{Storage, TensorRef},
        value::Value,
    },
    Machine,
};
use crate::error::Result;

impl Machine<'_> {
    pub(super) fn stack_global(&mut self) -> Result<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        let global = match (&module, &name) {
            (Value::Text(module), Value::Text(name)) => Global::named(module, name),
            _ => return Err(bad("a function in it has no name")),
        };
        self.push(Value::Global(Rc::new(global)));
        Ok(())
    }

    /// What one of the few known functions makes of its arguments; anything else makes something opaque.
    pub(super) fn make(&mut self) -> Result<()> {
        let arguments = self.pop()?;
        let value = match self.pop()? {
            Value::Global(global) => self.made(&global, &arguments)?,
            opaque @ Value::Opaque(_) => opaque,
            other => Value::Opaque(other.kind().into()),
        };
        self.push(value);
        Ok(())
    }

    fn made(&mut self, global: &Global, arguments: &Value) -> Result<Value> {
        let opaque = || Value::Opaque(global.name());
        // Python 2 hands over the pairs of a dictionary.
        if let (Global::Dict, Some([Value::List(pairs)])) = (global, self.heap.tuple(arguments)) {
            let pairs = *pairs;
            self.charge(self.heap.lists[pairs].len())?;
            let pair = |pair: &Value| match pair {
                Value::Tuple(i) | Value::List(i) => match &self.heap.lists[*i][..] {
                    [key, value] => Some((key.clone(), value.clone())),
                    _ => None,
                },
                _ => None,
            };
            let filled = self.heap.lists[pairs].iter().filter_map(pair).collect();
            self.heap.dicts.push(filled);
            return Ok(Value::Dict(self.heap.dicts.len() - 1));
        }
        let Some(arguments) = self.heap.tuple(arguments) else {
            return Ok(opaque());
        };
        Ok(match (global, arguments) {
            (Global::Dict, _) => {
                self.heap.dicts.push(Vec::new());
                Value::Dict(self.heap.dicts.len() - 1)
            }
            (Global::RebuildTensor, [Value::Storage(storage), offset, size, stride, ..]) => {
                Value::Tensor(Rc::new(TensorRef::rebuild(
                    &self.heap, storage, offset, size, stride,
                )?))
            }
            // Of an element type that is not known.
            (Global::RebuildTensor, [made_by @ Value::Opaque(_), ..])
            | (Global::RebuildParameter, [made_by @ (Value::Tensor(_) | Value::Opaque(_)), ..])
            | (Global::Size, [made_by @ Value::Tuple(_)]) => made_by.clone(),
            _ => opaque(),
        })
    }

    pub(super) fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        let id = self.heap.tuple(&id).unwrap_or_default();
        let odd = match id {
            [_, Value::Global(kind), Value::Text(key), ..] => match **kind {
                Global::OddStorage(_, width) => Some((key.clone(), width)),
                _ => None,
            },
            _ => None,
        };
        let value = match id {
            [_, Value::Global(kind), ..] if !matches!(**kind, Global::Storage(_)) => {
                Value::Opaque(kind.name())
            }
            id => Value::Storage(Rc::new(Storage::from_id(id)?)),
        };
        self.heap.odd_storages.extend(odd);
        if let Value::Storage(storage) = &value {
            self.heap.storages.push(storage.clone());
        }
        self.push(value);
        Ok(())
    }
}
