//! What every store promises, and what the embedded one promises of its files.

mod bodies;
mod books;
mod crash;
mod damage;
mod entities;
mod formats;
mod hours;
mod lists;
mod mirror;
mod moving;
mod queue;
mod removal;
mod revisions;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bookbridge::store::Store;
use bookbridge::store::StoreError;
use bookbridge::store::sled::Options;
use bookbridge::store::sled::SledStore;

/// Makes a test of each case for each store. A case is `async fn(store: &dyn Store)`.
macro_rules! for_each_store {
    ($($case:ident,)*) => {
        mod sled {
            $(
                #[tokio::test]
                async fn $case() {
                    let place = crate::store::Place::new();

                    super::$case(&place.open().unwrap()).await;
                }
            )*
        }
    };
}
pub(crate) use for_each_store;

/// A directory for an embedded store; the store can be opened there again and again.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    pub(crate) fn open(&self) -> Result<SledStore, StoreError> {
        self.open_with(&Options { reserve: 0, ..Options::default() })
    }

    pub(crate) fn open_with(&self, options: &Options) -> Result<SledStore, StoreError> {
        SledStore::open(&self.store(), options)
    }

    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        Arc::new(self.open().unwrap())
    }
}

/// Numbers that look random, and are the same in every run (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A seed of a name.
    pub(crate) fn seed(name: &str) -> u64 {
        name.bytes().fold(0x9e37_79b9_7f4a_7c15, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(31).wrapping_add(1)
        })
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
