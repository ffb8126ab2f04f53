//! Pairing: a link without a login for the QuickBooks machine, and what the wire tells meanwhile.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::SignedDuration;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::connection::Connection;
use crate::domain::connection::Pairing;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::NewRequest;
use crate::engine::until_settled;
use crate::store::Change;
use crate::store::Commit;

/// How long a link works.
const LIVES: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What Web Connectors did that belongs to no connection yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wire {
    /// When one looked at the certificate.
    pub certificate_at: Option<Timestamp>,
    /// When one told its version.
    pub version_at: Option<Timestamp>,
}

/// [`Wire`], shared by all who call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wires(Arc<Mutex<Wire>>);

/// A sign of a Web Connector before its login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sign {
    /// It looked at the certificate.
    Certificate,
    /// It told its version.
    Version,
}

impl Engine {
    /// A Web Connector showed itself.
    pub fn saw(&self, sign: Sign) {
        let now = Some(self.now());
        let mut wire = self.wires.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sign {
            Sign::Certificate => wire.certificate_at = now,
            Sign::Version => wire.version_at = now,
        }
    }

    /// What Web Connectors showed so far, in this process.
    pub fn wire(&self) -> Wire {
        self.wires.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// 128 bits that nobody can guess, as text.
    pub fn secret(&self) -> String {
        format!("{:032x}", self.ambient.bits())
    }

    /// Makes a pairing link, in the place of one that is there; its token is not kept.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn begin_pairing(
        &self,
        id: &ConnectionId,
        actor: &Actor,
    ) -> Result<String, EngineError> {
        let token = self.secret();
        let now = self.now();
        let pairing = Pairing {
            token: Digest::of(token.as_bytes()),
            began_at: now,
            expires_at: now + LIVES,
            downloaded_at: None,
            revealed_at: None,
            confirmed_at: None,
        };
        self.change_pairing(id, Some(actor), "made a pairing link", |connection| {
            connection.pairing = Some(pairing.clone());
        })
        .await?;
        Ok(token)
    }

    /// The link works no more.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn end_pairing(&self, id: &ConnectionId, actor: &Actor) -> Result<(), EngineError> {
        let end = |connection: &mut Connection| connection.pairing = None;
        self.change_pairing(id, Some(actor), "revoked the pairing link", end).await
    }

    /// The connection of a link that works.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn pairing(&self, token: &str) -> Result<Option<(Connection, Pairing)>, EngineError> {
        let given = Digest::of(token.as_bytes());
        let now = self.now();
        for connection in self.store.connections().await? {
            if let Some(pairing) = connection.pairing.clone()
                && pairing.token.matches(&given)
                && now < pairing.expires_at
            {
                return Ok(Some((connection, pairing)));
            }
        }
        Ok(None)
    }

    /// Puts a harmless question into the queue, once a link: its answer is the last step.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn ask_for_company(
        &self,
        connection: &Connection,
        pairing: &Pairing,
    ) -> Result<bool, EngineError> {
        let key = format!("pairing {}", pairing.began_at);
        let new = NewRequest::Xml("<CompanyQueryRq/>".to_owned());
        let actor = Actor("pairing".to_owned());
        let request = self.submit(&connection.id, new, Some(key), &actor).await?;
        Ok(request.status == crate::domain::request::RequestStatus::Answered)
    }

    /// The `.qwc` was downloaded by the link.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn pairing_downloaded(&self, id: &ConnectionId) -> Result<(), EngineError> {
        let now = self.now();
        self.change_pairing(id, None, "", |connection| {
            if let Some(pairing) = &mut connection.pairing {
                pairing.downloaded_at = Some(now);
            }
        })
        .await
    }

    /// Makes a password and shows it, by the link.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn pairing_password(&self, id: &ConnectionId) -> Result<SecretString, EngineError> {
        let actor = Actor("pairing".to_owned());
        let (_, password) = self.rotate_password(id, &actor).await?;
        let now = self.now();
        self.change_pairing(id, None, "", |connection| {
            if let Some(pairing) = &mut connection.pairing {
                pairing.revealed_at = Some(now);
            }
        })
        .await?;
        Ok(password)
    }

    /// A person said that the company file that was open is the right one.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotNow`] if none was seen yet.
    pub async fn confirm_company(&self, id: &ConnectionId) -> Result<(), EngineError> {
        let host = self.state(id).await?.host.filter(|host| !host.company_file.is_empty());
        let seen = || EngineError::NotNow("no company file was seen yet".to_owned());
        let file = host.ok_or_else(seen)?.company_file;
        let now = self.now();
        let actor = Actor("pairing".to_owned());
        self.change_pairing(id, Some(&actor), "confirmed the company file", |connection| {
            connection.company_file = Some(file.clone());
            if let Some(pairing) = &mut connection.pairing {
                pairing.confirmed_at = Some(now);
            }
        })
        .await
    }

    async fn change_pairing(
        &self,
        id: &ConnectionId,
        actor: Option<&Actor>,
        action: &str,
        change: impl Fn(&mut Connection),
    ) -> Result<(), EngineError> {
        until_settled!(async {
            let mut connection = self.connection(id).await?;
            change(&mut connection);
            let mut changes = vec![Change::PutConnection(connection)];
            changes.extend(actor.map(|actor| self.note(id, actor, action, "")));
            Ok::<_, EngineError>(self.store.commit(Commit { guards: Vec::new(), changes }).await?)
        })
    }
}
