//! What people decide about records.

use crate::domain::ids::ConnectionId;
use crate::domain::ids::RecordKey;
use crate::domain::record::Record;
use crate::domain::record::Wanted;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::store::RecordFilter;

/// One decision about one record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Try again, whatever failed.
    Retry,
    /// It is in QuickBooks already, or must not go there.
    Bypass {
        /// Why, in the person's words.
        reason: String,
        /// ListID or TxnID of the object that is there, if known.
        reference: Option<String>,
    },
    /// Take the bypass back.
    Unbypass,
    /// A held record may go.
    Release,
    /// Forget where it stands in QuickBooks: it is made anew.
    ResetReference,
    /// It stands in QuickBooks under this ListID or TxnID.
    Link {
        /// The ListID or TxnID.
        id: String,
    },
    /// The source application takes it back.
    Withdraw(Wanted),
}

/// A decision about many records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BulkAction {
    /// As [`Action::Retry`].
    Retry,
    /// As [`Action::Bypass`], with a reason of its own.
    Bypass,
    /// As [`Action::ResetReference`].
    ResetReference,
}

impl Engine {
    /// Does one decision; the record as it stands afterwards.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoRecord`]; [`EngineError::NotNow`] if QuickBooks may be executing it now, or
    /// if it makes no sense for its status.
    pub async fn act(
        &self,
        _key: &RecordKey,
        _action: Action,
        _actor: &Actor,
    ) -> Result<Record, EngineError> {
        todo!()
    }

    /// Does a decision for all records that match; how many there are. Records for which it makes no
    /// sense now are left as they are and not counted.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::Store`].
    pub async fn act_on_all(
        &self,
        _connection: &ConnectionId,
        _filter: &RecordFilter,
        _action: BulkAction,
        _reason: &str,
        _only_count: bool,
        _actor: &Actor,
    ) -> Result<u64, EngineError> {
        todo!()
    }
}
