//! A pickle as data: the stack machine of Python's `pickle` (protocols 2 to 5) without the power to call anything.
//!
//! Containers live in one list and are named by their place in it, as the program may mutate and share them; nothing
//! is walked or dropped recursively, so that a deeply nested file cannot exhaust the stack.

use std::{collections::HashMap, rc::Rc};

use super::{
    bad,
    global::Global,
    storage::{Storage, TensorRef},
};
use crate::error::{Error, Result};

/// The largest pickle that is looked at. That of a ResNet-152 has 0.2 MB; the tensors' bytes lie outside.
pub(super) const LARGEST: usize = 16 << 20;

/// A value; containers are places in [`Heap`].
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little-endian.
    Long(Rc<[u8]>),
    Float,
    Text(Rc<str>),
    Bytes,
    Global(Global),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorRef>),
    /// A harmless object whose content does not matter.
    Opaque,
}

impl Value {
    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "`None`",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Long(_) | Self::Float => "a number",
            Self::Text(_) => "a text",
            Self::Bytes => "bytes",
            Self::Global(_) => "a function",
            Self::Tuple(_) | Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Opaque => "an object",
        }
    }
}

/// The containers of a pickle.
#[derive(Debug, Default)]
pub(super) struct Heap {
    /// Tuples and lists.
    pub(super) lists: Vec<Vec<Value>>,
    /// Dictionaries as they were filled; of equal keys the last counts.
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    /// Every storage that was mentioned.
    pub(super) storages: Vec<Rc<Storage>>,
}

impl Heap {
    /// The items of a tuple.
    pub(super) fn tuple(&self, value: &Value) -> Result<&[Value]> {
        match value {
            Value::Tuple(i) => Ok(&self.lists[*i]),
            other => Err(bad(&format!(
                "{} stands where a tuple belongs",
                other.kind()
            ))),
        }
    }
}

/// Runs one pickle: its value, its containers and the number of bytes it took.
pub(super) fn run(bytes: &[u8]) -> Result<(Value, Heap, usize)> {
    let mut machine = Machine {
        bytes: &bytes[..bytes.len().min(LARGEST)],
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        heap: Heap::default(),
    };
    let value = machine.run()?;
    Ok((value, machine.heap, machine.at))
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// Heights of the stack where a `MARK` was set.
    marks: Vec<usize>,
    /// For look-up alone; never iterated.
    memo: HashMap<usize, Value>,
    heap: Heap,
}

impl Machine<'_> {
    /// Opcodes by the names of Python's `pickletools`.
    fn run(&mut self) -> Result<Value> {
        loop {
            match self.byte()? {
                b'.' => return self.pop(),                 // STOP
                0x80 => self.skip(1)?,                     // PROTO
                0x95 => self.skip(8)?,                     // FRAME
                b'(' => self.marks.push(self.stack.len()), // MARK
                b'0' => drop(self.pop()?),                 // POP
                b'1' => drop(self.since_mark()?),          // POP_MARK
                b'2' => self.push(self.top()?.clone()),    // DUP
                b'N' => self.push(Value::None),
                0x88 => self.push(Value::Bool(true)),
                0x89 => self.push(Value::Bool(false)),
                b'K' => self.int::<1>()?, // BININT1
                b'M' => self.int::<2>()?, // BININT2
                b'J' => {
                    let bytes = self.array::<4>()?; // BININT
                    self.push(Value::Int(i64::from(i32::from_le_bytes(bytes))));
                }
                0x8a => self.long::<1>()?, // LONG1
                0x8b => self.long::<4>()?, // LONG4
                b'G' => {
                    self.skip(8)?; // BINFLOAT
                    self.push(Value::Float);
                }
                b'U' | 0x8c => self.text::<1>()?, // SHORT_BINSTRING, SHORT_BINUNICODE
                b'X' | b'T' => self.text::<4>()?, // BINUNICODE, BINSTRING
                0x8d => self.text::<8>()?,        // BINUNICODE8
                b'C' => self.blob::<1>()?,        // SHORT_BINBYTES
                b'B' => self.blob::<4>()?,        // BINBYTES
                0x8e => self.blob::<8>()?,        // BINBYTES8
                b')' => self.tuple(Vec::new()),   // EMPTY_TUPLE
                0x85 => self.last(1)?,            // TUPLE1
                0x86 => self.last(2)?,
                0x87 => self.last(3)?,
                b't' => {
                    let items = self.since_mark()?; // TUPLE
                    self.tuple(items);
                }
                b']' => {
                    self.heap.lists.push(Vec::new()); // EMPTY_LIST
                    self.push(Value::List(self.heap.lists.len() - 1));
                }
                b'a' => {
                    let item = self.pop()?; // APPEND
                    self.append(vec![item])?;
                }
                b'e' => {
                    let items = self.since_mark()?; // APPENDS
                    self.append(items)?;
                }
                b'}' => self.dict(), // EMPTY_DICT
                b's' => {
                    let value = self.pop()?; // SETITEM
                    let key = self.pop()?;
                    self.set(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?; // SETITEMS
                    self.set(items)?;
                }
                b'q' => self.put::<1>()?, // BINPUT
                b'r' => self.put::<4>()?, // LONG_BINPUT
                0x94 => drop(self.memo.insert(self.memo.len(), self.top()?.clone())), // MEMOIZE
                b'h' => self.get::<1>()?, // BINGET
                b'j' => self.get::<4>()?, // LONG_BINGET
                b'c' => {
                    let module = self.line()?; // GLOBAL
                    let name = self.line()?;
                    self.push(Value::Global(Global::named(&module, &name)?));
                }
                0x93 => self.stack_global()?, // STACK_GLOBAL
                b'R' => self.reduce()?,       // REDUCE
                b'b' => self.build()?,        // BUILD
                b'Q' => self.persistent()?,   // BINPERSID
                code => {
                    return Err(Error::failed(format!(
                        "opcode 0x{code:02x} is not allowed in a model file: nothing in it is executed"
                    ))
                    .help("save `model.state_dict()` with `torch.save`"));
                }
            }
        }
    }

    fn skip(&mut self, count: usize) -> Result<()> {
        self.take(count).map(drop)
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let end = self
            .at
            .checked_add(count)
            .filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return Err(if self.bytes.len() == LARGEST {
                Error::failed(format!("its pickle is larger than {} MiB", LARGEST >> 20))
            } else {
                bad("it ends in the middle of its pickle")
            });
        };
        let start = std::mem::replace(&mut self.at, end);
        Ok(&self.bytes[start..end])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// An unsigned little-endian number of N bytes.
    fn number<const N: usize>(&mut self) -> Result<usize> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(self.take(N)?);
        usize::try_from(u64::from_le_bytes(wide))
            .map_err(|_| bad("a length does not fit into memory"))
    }

    fn line(&mut self) -> Result<String> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|&b| b == b'\n')
            .ok_or_else(|| bad("it ends in the middle of its pickle"))?;
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Result<Value> {
        // What lies below a mark belongs to whoever set it.
        if self
            .marks
            .last()
            .is_some_and(|&mark| self.stack.len() <= mark)
        {
            return Err(empty());
        }
        self.stack.pop().ok_or_else(empty)
    }

    fn top(&self) -> Result<&Value> {
        self.stack.last().ok_or_else(empty)
    }

    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self
            .marks
            .pop()
            .filter(|&mark| mark <= self.stack.len())
            .ok_or_else(empty)?;
        Ok(self.stack.split_off(mark))
    }

    fn int<const N: usize>(&mut self) -> Result<()> {
        let number = self.number::<N>()?;
        self.push(Value::Int(number as i64));
        Ok(())
    }

    fn long<const N: usize>(&mut self) -> Result<()> {
        let length = self.number::<N>()?;
        let bytes = self.take(length)?;
        let value = if bytes.len() <= 8 {
            let negative = bytes.last().is_some_and(|&b| b >= 0x80);
            let mut wide = [if negative { 0xff } else { 0 }; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Long(bytes.into())
        };
        self.push(value);
        Ok(())
    }

    fn text<const N: usize>(&mut self) -> Result<()> {
        let length = self.number::<N>()?;
        let text = std::str::from_utf8(self.take(length)?)
            .map_err(|_| bad("a text in it is not UTF-8"))?;
        let value = Value::Text(text.into());
        self.push(value);
        Ok(())
    }

    fn blob<const N: usize>(&mut self) -> Result<()> {
        let length = self.number::<N>()?;
        self.skip(length)?;
        self.push(Value::Bytes);
        Ok(())
    }

    fn tuple(&mut self, items: Vec<Value>) {
        self.heap.lists.push(items);
        self.push(Value::Tuple(self.heap.lists.len() - 1));
    }

    fn last(&mut self, count: usize) -> Result<()> {
        let from = self.stack.len().checked_sub(count).ok_or_else(empty)?;
        let items = self.stack.split_off(from);
        self.tuple(items);
        Ok(())
    }

    fn dict(&mut self) {
        self.heap.dicts.push(Vec::new());
        self.push(Value::Dict(self.heap.dicts.len() - 1));
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        match self.top()?.clone() {
            Value::List(i) => self.heap.lists[i].extend(items),
            other => {
                return Err(bad(&format!(
                    "{} stands where a list belongs",
                    other.kind()
                )));
            }
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Value>) -> Result<()> {
        let dict = match self.top()?.clone() {
            Value::Dict(i) => &mut self.heap.dicts[i],
            other => {
                return Err(bad(&format!(
                    "{} stands where a dictionary belongs",
                    other.kind()
                )));
            }
        };
        if items.len() % 2 == 1 {
            return Err(bad("a dictionary in it has a key without a value"));
        }
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            dict.push((key, value));
        }
        Ok(())
    }

    fn put<const N: usize>(&mut self) -> Result<()> {
        let place = self.number::<N>()?;
        let value = self.top()?.clone();
        self.memo.insert(place, value);
        Ok(())
    }

    fn get<const N: usize>(&mut self) -> Result<()> {
        let place = self.number::<N>()?;
        let value = self
            .memo
            .get(&place)
            .cloned()
            .ok_or_else(|| bad("it recalls what it never remembered"))?;
        self.push(value);
        Ok(())
    }

    fn stack_global(&mut self) -> Result<()> {
        match (self.pop()?, self.pop()?) {
            (Value::Text(name), Value::Text(module)) => {
                self.push(Value::Global(Global::named(&module, &name)?));
                Ok(())
            }
            _ => Err(bad("a function in it has no name")),
        }
    }

    /// "Calls" one of the few known functions.
    fn reduce(&mut self) -> Result<()> {
        let arguments = self.pop()?;
        let Value::Global(global) = self.pop()? else {
            return Err(bad("it calls what is no function"));
        };
        let arguments = self.heap.tuple(&arguments)?;
        let value = match (global, arguments) {
            (Global::OrderedDict, []) => {
                self.dict();
                return Ok(());
            }
            (Global::RebuildTensor, [storage, offset, size, stride, ..]) => Value::Tensor(Rc::new(
                TensorRef::rebuild(&self.heap, storage, offset, size, stride)?,
            )),
            (Global::RebuildParameter, [tensor @ Value::Tensor(_), ..]) => tensor.clone(),
            (Global::Size, [sizes @ Value::Tuple(_)]) => sizes.clone(),
            (Global::Device, _) => Value::Opaque,
            (global, _) => {
                return Err(bad(&format!(
                    "`{}` is given other arguments than its own",
                    global.name()
                )));
            }
        };
        self.push(value);
        Ok(())
    }

    /// Sets attributes of an object: a state dict has `_metadata`, which says nothing about the tensors.
    fn build(&mut self) -> Result<()> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            other => Err(bad(&format!("it sets attributes of {}", other.kind()))),
        }
    }

    fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        let storage = Rc::new(Storage::from_id(self.heap.tuple(&id)?)?);
        self.heap.storages.push(storage.clone());
        self.push(Value::Storage(storage));
        Ok(())
    }
}

fn empty() -> Error {
    bad("its pickle takes more from the stack than it put there")
}
