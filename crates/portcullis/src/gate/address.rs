//! Which guard a request goes to.

use std::sync::Arc;

use portcullis_core::guard::Guard;
use portcullis_core::mount::Mount;
use portcullis_core::request::RequestHead;
use portcullis_store::memory::Memory;

/// Where a request goes. It is looked up at every look, so that what is gone is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Address<'a> {
    /// To the listener that the mount's realm knows by this id.
    Listener {
        /// The mount that it came through.
        mount: &'a Mount,
        /// The listener's id, of whatever form.
        id: &'a str,
    },
    /// To the guard that answers for its own host and path.
    Own,
}

impl<'a> Address<'a> {
    /// The guard that stands there now, if mount and guard do.
    pub(super) fn find(self, memory: &Memory, head: &RequestHead<'_>) -> Option<Arc<Guard>> {
        let guards = memory.guards();
        let found = match self {
            Address::Listener { mount, id } => {
                memory.mounts().iter().find(|it| it.is(mount))?;
                guards.listener(mount.realm, id)
            }
            Address::Own => guards.find(head.host(), head.path()),
        };
        found.cloned()
    }

    /// The mount on the way to it, if there is one: whether it still stands or not.
    pub(super) const fn mount(self) -> Option<&'a Mount> {
        match self {
            Address::Listener { mount, .. } => Some(mount),
            Address::Own => None,
        }
    }
}
