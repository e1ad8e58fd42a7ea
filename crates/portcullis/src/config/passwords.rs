//! The section `[passwords]`: what checking a password may cost.

use super::reader::Section;

/// What checking a password may cost (Argon2id).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Passwords {
    /// How many passwords are checked at once.
    pub(crate) threads: usize,
    /// How many checks may wait for a thread.
    pub(crate) queue: usize,
    /// The memory that one check takes, in KiB.
    pub(crate) memory_kib: u32,
    /// How often one check goes through its memory.
    pub(crate) passes: u32,
}

/// Reads `[passwords]`.
pub(super) fn passwords(mut section: Section<'_, '_>) -> Option<Passwords> {
    let threads = section.count("threads");
    let queue = section.count("queue");
    let memory_kib = section.count("memory_kib");
    let passes = section.count("passes");
    section.finish(&[]);
    Some(Passwords {
        threads: usize::try_from(threads?).ok()?,
        queue: usize::try_from(queue?).ok()?,
        memory_kib: memory_kib?,
        passes: passes?,
    })
}
