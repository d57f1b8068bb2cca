//! A bound over all threads on the bytes of large files that are in memory at once.

use std::{
    cell::Cell,
    ops::Deref,
    sync::{Condvar, Mutex, PoisonError},
};

/// Larger contents wait for each other, in bytes; photographs are smaller.
const LARGE: u64 = 16 << 20;
/// What large contents may take together, in bytes; a larger one alone is held alone.
const AT_ONCE: u64 = 256 << 20;

static TAKEN: Mutex<u64> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

thread_local! {
    /// How many this thread holds: one that holds some does not wait for more, or it might wait for itself.
    static HOLDS: Cell<usize> = const { Cell::new(0) };
}

/// The content of a file, with its place in the bound for as long as it is there.
#[derive(Debug)]
pub struct Content {
    bytes: Vec<u8>,
    _room: Option<Room>,
}

impl Content {
    pub(super) fn new(bytes: Vec<u8>, room: Option<Room>) -> Self {
        Self { bytes, _room: room }
    }
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Room for so many bytes.
#[derive(Debug)]
pub(super) struct Room(u64);

impl Room {
    /// Waits until there is room; small contents need none.
    pub(super) fn for_bytes(bytes: u64) -> Option<Self> {
        if bytes <= LARGE {
            return None;
        }
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        while HOLDS.get() == 0 && *taken > 0 && *taken + bytes > AT_ONCE {
            taken = FREED.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        HOLDS.set(HOLDS.get() + 1);
        Some(Self(bytes))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        HOLDS.set(HOLDS.get().saturating_sub(1));
        FREED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn threads_together_hold_no_more_than_the_bound_and_all_get_their_turn() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for i in 0..8 {
                let (now, most) = (&now, &most);
                scope.spawn(move || {
                    let bytes = (60 + 50 * i) << 20;
                    let room = Room::for_bytes(bytes);
                    let held = now.fetch_add(bytes, Ordering::SeqCst) + bytes;
                    if held != bytes {
                        most.fetch_max(held, Ordering::SeqCst);
                    }
                    std::thread::yield_now();
                    now.fetch_sub(bytes, Ordering::SeqCst);
                    drop(room);
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= AT_ONCE);
    }
}
