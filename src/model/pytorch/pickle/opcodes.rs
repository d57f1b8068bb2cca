//! What each opcode does, by what it is about. Each says whether the opcode is one of its own.

use std::rc::Rc;

use super::{Machine, empty, int_line};
use crate::{
    error::Result,
    model::pytorch::{global::Global, value::Value},
};

impl Machine<'_> {
    /// What orders the program and its stack; whether it is such an opcode.
    pub(super) fn frame(&mut self, code: u8) -> Result<bool> {
        match code {
            0x80 => self.skip(1)?,                     // PROTO
            0x95 => self.skip(8)?,                     // FRAME
            b'(' => self.marks.push(self.stack.len()), // MARK
            b'0' => drop(self.pop()?),                 // POP
            b'1' => drop(self.since_mark()?),          // POP_MARK
            b'2' => self.push(self.top()?.clone()),    // DUP
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Numbers, texts and bytes.
    pub(super) fn scalar(&mut self, code: u8) -> Result<bool> {
        match code {
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => self.int::<1>()?, // BININT1
            b'M' => self.int::<2>()?, // BININT2
            b'J' => {
                let bytes = self.array::<4>()?; // BININT
                self.push(Value::Int(i64::from(i32::from_le_bytes(bytes))));
            }
            0x8a => self.long::<1>()?,              // LONG1
            0x8b => self.long::<4>()?,              // LONG4
            b'G' => self.skipped(8, Value::Float)?, // BINFLOAT
            b'F' => self.lined(|_| Value::Float)?,  // FLOAT
            b'I' => self.lined(int_line)?,          // INT
            b'L' => self.lined(|line| int_line(line.trim_end_matches('L')))?, // LONG
            b'S' => self.lined(|line| Value::Text(line.trim_matches(['\'', '"']).into()))?, // STRING
            b'V' => self.lined(|line| Value::Text(line.into()))?, // UNICODE
            b'U' | 0x8c => self.text::<1>()?, // SHORT_BINSTRING, SHORT_BINUNICODE
            b'X' | b'T' => self.text::<4>()?, // BINUNICODE, BINSTRING
            0x8d => self.text::<8>()?,        // BINUNICODE8
            b'C' => self.blob::<1>()?,        // SHORT_BINBYTES
            b'B' => self.blob::<4>()?,        // BINBYTES
            0x8e => self.blob::<8>()?,        // BINBYTES8
            0x96 => self.blob::<8>()?,        // BYTEARRAY8
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Tuples, lists and sets.
    pub(super) fn sequence(&mut self, code: u8) -> Result<bool> {
        match code {
            b')' => self.tuple(Vec::new()), // EMPTY_TUPLE
            0x85 => self.last(1)?,          // TUPLE1
            0x86 => self.last(2)?,
            0x87 => self.last(3)?,
            b't' => {
                let items = self.since_mark()?; // TUPLE
                self.tuple(items);
            }
            b']' => self.list(Vec::new()), // EMPTY_LIST
            b'a' => {
                let item = self.pop()?; // APPEND
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.since_mark()?; // APPENDS
                self.append(items)?;
            }
            b'l' => {
                let items = self.since_mark()?; // LIST
                self.list(items);
            }
            0x8f => self.opaque("set"),       // EMPTY_SET
            0x90 => drop(self.since_mark()?), // ADDITEMS
            0x91 => {
                self.since_mark()?; // FROZENSET
                self.opaque("frozenset");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Dictionaries.
    pub(super) fn table(&mut self, code: u8) -> Result<bool> {
        match code {
            b'}' => self.dict(), // EMPTY_DICT
            b'd' => {
                let items = self.since_mark()?; // DICT
                self.dict();
                self.set(items)?;
            }
            b's' => {
                let value = self.pop()?; // SETITEM
                let key = self.pop()?;
                self.set(vec![key, value])?;
            }
            b'u' => {
                let items = self.since_mark()?; // SETITEMS
                self.set(items)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What is remembered to be used again.
    pub(super) fn memory(&mut self, code: u8) -> Result<bool> {
        match code {
            b'q' => self.put::<1>()?, // BINPUT
            b'r' => self.put::<4>()?, // LONG_BINPUT
            0x94 => drop(self.memo.insert(self.memo.len(), self.top()?.clone())), // MEMOIZE
            b'h' => self.get::<1>()?, // BINGET
            b'j' => self.get::<4>()?, // LONG_BINGET
            b'p' => {
                let place = self.place()?; // PUT
                self.memo.insert(place, self.top()?.clone());
            }
            b'g' => {
                let place = self.place()?; // GET
                self.recall(place)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What Python would look up, call or fetch from outside.
    pub(super) fn object(&mut self, code: u8) -> Result<bool> {
        match code {
            b'c' => {
                let module = self.line()?; // GLOBAL
                let name = self.line()?;
                self.push(Value::Global(Rc::new(Global::named(&module, &name))));
            }
            0x93 => self.stack_global()?, // STACK_GLOBAL
            b'R' | 0x81 => self.make()?,  // REDUCE, NEWOBJ
            0x92 => {
                self.pop()?; // NEWOBJ_EX: named arguments too
                self.make()?;
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?); // INST
                self.since_mark()?;
                self.opaque(&Global::named(&module, &name).name());
            }
            b'o' => {
                let items = self.since_mark()?; // OBJ
                let maker = items.first().ok_or_else(empty)?.kind();
                self.opaque(&maker);
            }
            b'b' => drop(self.pop()?), // BUILD: attributes, such as the `_metadata` of a state dict
            b'Q' => self.persistent()?, // BINPERSID
            b'P' => {
                self.line()?; // PERSID
                self.opaque("something outside");
            }
            0x82 => self.skipped(1, Value::Opaque("an extension".into()))?, // EXT1
            0x83 => self.skipped(2, Value::Opaque("an extension".into()))?,
            0x84 => self.skipped(4, Value::Opaque("an extension".into()))?,
            0x97 => self.opaque("a buffer outside"), // NEXT_BUFFER
            0x98 => {}                               // READONLY_BUFFER
            _ => return Ok(false),
        }
        Ok(true)
    }
}
