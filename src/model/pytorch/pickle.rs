//! A pickle as data: the stack machine of Python's `pickle` (protocols 0 to 5) without the power to call anything.
//!
//! Containers live in one list and are named by their place in it, as the program may mutate and share them; nothing
//! is walked or dropped recursively, so that a deeply nested file cannot exhaust the stack. What an unknown name would make is
//! opaque, and so is all that is made of it: nothing is looked up, nothing runs.

mod objects;
mod opcodes;

use std::collections::HashMap;

use super::{
    super::bounds,
    bad,
    value::{Heap, Value},
};
use crate::{
    error::{Error, Result},
    text,
};

/// The way out where much lies beside the weights.
const ALONE: &str = "in Python, save the weights alone, as tensors: `torch.save(model.state_dict(), \"weights.pt\")`";

/// Runs one pickle: its value, its containers and the number of bytes it took.
pub(super) fn run(bytes: &[u8]) -> Result<(Value, Heap, usize)> {
    let mut machine = Machine {
        bytes: &bytes[..bytes.len().min(bounds::PICKLE)],
        left: bounds::STEPS,
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
    /// Steps that are left.
    left: usize,
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
            self.charge(1)?;
            let code = self.byte()?;
            // STOP
            if code == b'.' {
                return self.pop();
            }
            let known = self.frame(code)?
                || self.scalar(code)?
                || self.sequence(code)?
                || self.table(code)?
                || self.memory(code)?
                || self.object(code)?;
            if !known {
                return Err(bad(&format!("0x{code:02x} in its pickle is no opcode")));
            }
        }
    }

    fn list(&mut self, items: Vec<Value>) {
        self.heap.lists.push(items);
        self.push(Value::List(self.heap.lists.len() - 1));
    }

    /// Counts steps: what a program does is bounded whatever it says.
    fn charge(&mut self, steps: usize) -> Result<()> {
        self.left = self.left.checked_sub(steps).ok_or_else(|| {
            Error::failed(format!(
                "its pickle takes more than {}: it holds far more than a network",
                text::count(bounds::STEPS, "step")
            ))
            .help(ALONE)
        })?;
        Ok(())
    }

    fn opaque(&mut self, made_by: &str) {
        self.push(Value::Opaque(made_by.into()));
    }

    fn skipped(&mut self, count: usize, value: Value) -> Result<()> {
        self.skip(count)?;
        self.push(value);
        Ok(())
    }

    fn lined(&mut self, read: impl FnOnce(&str) -> Value) -> Result<()> {
        let line = self.line()?;
        self.push(read(&line));
        Ok(())
    }

    /// A place in the memo, in decimal digits.
    fn place(&mut self) -> Result<usize> {
        self.line()?
            .parse()
            .map_err(|_| bad("it remembers something at a place that is no number"))
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
            return Err(if self.bytes.len() == bounds::PICKLE {
                too_large()
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
        // Python 2 packed bytes as texts.
        let value = match std::str::from_utf8(self.take(length)?) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => Value::Bytes,
        };
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
        match *self.top()? {
            Value::List(i) => self.heap.lists[i].extend(items),
            Value::Opaque(_) => {}
            ref other => {
                let kind = other.kind();
                return Err(bad(&format!("{kind} stands where a list belongs")));
            }
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Value>) -> Result<()> {
        if items.len() % 2 == 1 {
            return Err(bad("a dictionary in it has a key without a value"));
        }
        let dict = match *self.top()? {
            Value::Dict(i) => &mut self.heap.dicts[i],
            Value::Opaque(_) => return Ok(()),
            ref other => {
                let kind = other.kind();
                return Err(bad(&format!("{kind} stands where a dictionary belongs")));
            }
        };
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
        self.recall(place)
    }

    fn recall(&mut self, place: usize) -> Result<()> {
        let value = self
            .memo
            .get(&place)
            .cloned()
            .ok_or_else(|| bad("it recalls what it never remembered"))?;
        self.push(value);
        Ok(())
    }
}

/// A number in decimal digits; `00` and `01` are truth values.
fn int_line(line: &str) -> Value {
    match line {
        "00" => Value::Bool(false),
        "01" => Value::Bool(true),
        digits => digits.parse().map_or(Value::Float, Value::Int),
    }
}

pub(super) fn too_large() -> Error {
    Error::failed(format!(
        "its pickle is larger than {} MiB: it holds more than tensors, such as arrays of NumPy",
        bounds::PICKLE >> 20
    ))
    .help(ALONE)
}

fn empty() -> Error {
    bad("its pickle takes more from the stack than it put there")
}
