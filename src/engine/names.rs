//! Names for what the adapters make.

use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::ambient;

impl Engine {
    /// A name that nothing else has, ordered by time: of a call, or of a file on its way.
    pub fn new_id(&self) -> Uuid {
        ambient::time_ordered(self.ambient.as_ref())
    }
}
