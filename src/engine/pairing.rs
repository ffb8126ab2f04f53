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
use crate::domain::message_set::Subject;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::NewRequest;
use crate::engine::company;
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
    /// It logged in: what it showed before is told by its connection from now on.
    Login,
}

impl Engine {
    /// A Web Connector showed itself.
    pub fn saw(&self, sign: Sign) {
        let now = Some(self.now());
        let mut wire = self.wires.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sign {
            Sign::Certificate => wire.certificate_at = now,
            Sign::Version => wire.version_at = now,
            Sign::Login => *wire = Wire::default(),
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
            opened_at: None,
            downloaded_at: None,
            revealed_at: None,
            confirmed_at: None,
        };
        self.change_pairing(id, Some(actor), "made a pairing link", |connection| {
            // Who was waited for is waited for still.
            let before = connection.pairing.take().filter(|it| it.confirmed_at.is_none());
            let opened_at = before.and_then(|before| before.opened_at);
            connection.pairing = Some(Pairing { opened_at, ..pairing.clone() });
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

    /// A person pairs on the page of a link: they asked for its password. (To look at the page changes
    /// nothing, a program may do that.) From then on nothing is written until the company file is
    /// confirmed, unless it is known already: by its path, or by our stamp. A stamp that comes later
    /// tells nothing: the Web Connector puts it into whichever file is open.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn pairing_opened(
        &self,
        connection: &Connection,
        pairing: &Pairing,
    ) -> Result<(), EngineError> {
        if pairing.opened_at.is_some() || connection.company_file.is_some() {
            return Ok(());
        }
        let host = self.state(&connection.id).await?.host;
        if host.is_some_and(|host| company::is_stamped(connection, &host)) {
            return Ok(());
        }
        let now = self.now();
        self.change_pairing(&connection.id, None, "", |connection| {
            if let Some(pairing) = &mut connection.pairing {
                pairing.opened_at.get_or_insert(now);
            }
        })
        .await
    }

    /// The harmless question of a link, while it waits: all that is handed out before a person has
    /// confirmed the company file.
    pub(crate) async fn question_of(
        &self,
        connection: &Connection,
    ) -> Result<Option<Subject>, EngineError> {
        let Some(pairing) = &connection.pairing else { return Ok(None) };
        let asked = self.store.request_of_key(&connection.id, &key(pairing)).await?;
        let waits = |it: &Request| it.status == RequestStatus::Queued && !it.writes;
        Ok(asked.filter(waits).map(|request| Subject::Request(request.id)))
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
        let new = NewRequest::Xml("<CompanyQueryRq/>".to_owned());
        let actor = Actor("pairing".to_owned());
        let request = self.submit(&connection.id, new, Some(key(pairing)), &actor).await?;
        Ok(request.status == RequestStatus::Answered)
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

    /// Makes a password and shows it, by the link. `after` is the [`Pairing::revealed`] that the
    /// person saw; `None` if a password was shown since: the same form was sent once more.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn pairing_password(
        &self,
        id: &ConnectionId,
        after: &str,
    ) -> Result<Option<SecretString>, EngineError> {
        let now = self.now();
        let first = until_settled!(async {
            let mut connection = self.connection(id).await?;
            let Some(pairing) = &mut connection.pairing else { return Ok(false) };
            if pairing.revealed() != after {
                return Ok(false);
            }
            pairing.revealed_at = Some(now);
            self.store.commit(Change::PutConnection(connection).into()).await?;
            Ok::<_, EngineError>(true)
        })?;
        if !first {
            return Ok(None);
        }
        let (_, password) = self.rotate_password(id, &Actor("pairing".to_owned())).await?;
        Ok(Some(password))
    }

    /// A person said that the company file which they saw, by its path and company, is the right
    /// one.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotNow`] if none was seen yet, or another is open by now.
    pub async fn confirm_company(
        &self,
        id: &ConnectionId,
        file: &str,
        company: &str,
    ) -> Result<(), EngineError> {
        let host = self.state(id).await?.host.filter(|host| !host.company_file.is_empty());
        let seen = || EngineError::NotNow("no company file was seen yet".to_owned());
        let host = host.ok_or_else(seen)?;
        if (host.company_file.as_str(), host.company_name.as_str()) != (file, company) {
            return Err(EngineError::NotNow(format!(
                "the company file that is open by now is {} ({}); look whether it is the right one",
                host.company_name, host.company_file
            )));
        }
        let now = self.now();
        let actor = Actor("pairing".to_owned());
        self.change_pairing(id, Some(&actor), "confirmed the company file", |connection| {
            connection.company_file = Some(file.to_owned());
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

/// Names the harmless question of a link.
fn key(pairing: &Pairing) -> String {
    format!("pairing {}", pairing.began_at)
}
