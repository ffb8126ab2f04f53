//! Connections: made, changed, paused, rotated.

use secrecy::SecretString;

use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;

/// A connection as an administrator makes it.
#[derive(Clone, Debug, Default)]
pub struct NewConnection {
    /// Its name in paths; made of `name` if missing.
    pub id: Option<String>,
    /// Shown to people: 1 to 100 characters.
    pub name: String,
    /// Path of the company file on the Web Connector's machine.
    pub company_file: Option<String>,
    /// The interval that the `.qwc` proposes: 1 to 10080 minutes; 5 if missing.
    pub every_minutes: Option<u32>,
    /// Shown in the Web Connector and in QuickBooks; made of `name` if missing.
    pub app_name: Option<String>,
}

/// What an administrator changes; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct ConnectionChange {
    /// Shown to people.
    pub name: Option<String>,
    /// Path of the company file; `Some(None)`: the one that is open.
    pub company_file: Option<Option<String>>,
    /// The interval that the `.qwc` proposes.
    pub every_minutes: Option<u32>,
    /// Shown in the Web Connector and in QuickBooks.
    pub app_name: Option<String>,
}

impl Engine {
    /// Makes a connection, with its password, which is not kept.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadInput`]; [`EngineError::NotNow`] if the id is taken.
    pub async fn add_connection(
        &self,
        _new: NewConnection,
        _actor: &Actor,
    ) -> Result<(Connection, SecretString), EngineError> {
        todo!()
    }

    /// Changes a connection.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::BadInput`].
    pub async fn change_connection(
        &self,
        _id: &ConnectionId,
        _change: ConnectionChange,
        _actor: &Actor,
    ) -> Result<Connection, EngineError> {
        todo!()
    }

    /// Forgets a connection and everything that belongs to it.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn remove_connection(
        &self,
        _id: &ConnectionId,
        _actor: &Actor,
    ) -> Result<(), EngineError> {
        todo!()
    }

    /// Gives sessions no work until it is resumed.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn pause(
        &self,
        _id: &ConnectionId,
        _actor: &Actor,
    ) -> Result<Connection, EngineError> {
        todo!()
    }

    /// Ends a pause, a person's or our own.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn resume(
        &self,
        _id: &ConnectionId,
        _actor: &Actor,
    ) -> Result<Connection, EngineError> {
        todo!()
    }

    /// Asks that the next session is not postponed. The Web Connector's own interval decides when
    /// it comes.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn sync_now(
        &self,
        _id: &ConnectionId,
        _actor: &Actor,
    ) -> Result<Connection, EngineError> {
        todo!()
    }

    /// Makes a new password; the old one is refused from now on.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn rotate_password(
        &self,
        _id: &ConnectionId,
        _actor: &Actor,
    ) -> Result<(Connection, SecretString), EngineError> {
        todo!()
    }

    /// Makes a new owner and file id: the `.qwc` must be installed anew.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`]; [`EngineError::NotNow`] while a message set is in doubt.
    pub async fn rotate_identity(
        &self,
        _id: &ConnectionId,
        _actor: &Actor,
    ) -> Result<Connection, EngineError> {
        todo!()
    }
}
