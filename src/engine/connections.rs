//! Connections: made, changed, paused, rotated.

use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::connection::Connection;
use crate::domain::connection::DuplicateNumbers;
use crate::domain::connection::Pause;
use crate::domain::ids::ConnectionId;
use crate::domain::ids::Digest;
use crate::domain::ids::Revision;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::until_settled;
use crate::store::Change;
use crate::store::Commit;
use crate::store::Guard;
use crate::store::StoreError;

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
    /// What is done about a number that another transaction has.
    pub duplicate_numbers: DuplicateNumbers,
    /// Whether the mirror of the company file is kept fresh.
    pub mirror: bool,
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
    /// What is done about a number that another transaction has.
    pub duplicate_numbers: Option<DuplicateNumbers>,
    /// Whether the mirror of the company file is kept fresh.
    pub mirror: Option<bool>,
}

/// Bounds of the proposed interval, in minutes: a week at most.
const MINUTES: std::ops::RangeInclusive<u32> = 1..=10_080;
/// The proposed interval of a connection that names none, in minutes.
const DEFAULT_MINUTES: u32 = 5;
/// Longest name, in characters.
const MAX_NAME: usize = 100;
/// Longest path of a company file, in characters (Windows' `MAX_PATH`).
const MAX_PATH: usize = 260;
/// Connections with one name get a number; after this many the name is refused.
const MAX_SAME_NAME: u32 = 1000;
/// What is left of an id that gets a number, in characters: together they have at most 48.
const MAX_STEM: usize = 44;

impl Engine {
    /// Makes a connection, with its password, which is not kept.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadInput`]; [`EngineError::NotNow`] if the id is taken.
    pub async fn add_connection(
        &self,
        new: NewConnection,
        actor: &Actor,
    ) -> Result<(Connection, SecretString), EngineError> {
        let name = text("/name", &new.name, MAX_NAME)?;
        let app_name = match &new.app_name {
            Some(app_name) => {
                let app_name = text("/appName", app_name, MAX_NAME)?;
                self.unused_app_name(&app_name, None).await?;
                app_name
            }
            None => self.free_app_name(&name).await?,
        };
        let company_file = new.company_file.as_deref().map(path).transpose()?;
        let every_minutes = minutes(new.every_minutes.unwrap_or(DEFAULT_MINUTES))?;
        let id = self.free_id(new.id.as_deref(), &name).await?;
        let (password, digest) = self.password();
        let username = format!("{id}-{:04x}", self.ambient.bits() & 0xffff);
        let connection = Connection {
            id: id.clone(),
            revision: Revision::NEW,
            name,
            username,
            password: digest,
            company_file,
            every_minutes,
            app_name,
            owner_id: self.random_uuid(),
            file_id: self.random_uuid(),
            pause: None,
            duplicate_numbers: new.duplicate_numbers,
            mirror: new.mirror,
            pairing: None,
            created_at: self.now(),
        };
        let commit = Commit {
            guards: vec![Guard::Connection(id.clone(), Revision::NEW)],
            changes: vec![
                Change::PutConnection(connection),
                self.note(&id, actor, "made the connection", ""),
                self.note_of_server(actor, "made", format!("connection {id}"), ""),
            ],
        };
        match self.store.commit(commit).await {
            Err(StoreError::Conflict { .. }) => Err(taken(&id)),
            Err(error) => Err(error.into()),
            Ok(()) => Ok((self.connection(&id).await?, password)),
        }
    }

    /// Refuses the name of another connection: the Web Connector and QuickBooks tell applications
    /// apart by it (QBWC Programmer's Guide, `AppName`).
    async fn unused_app_name(
        &self,
        app_name: &str,
        own: Option<&ConnectionId>,
    ) -> Result<(), EngineError> {
        let all = self.store.connections().await?;
        let other = all.iter().find(|it| it.app_name == app_name && Some(&it.id) != own);
        match other {
            None => Ok(()),
            Some(other) => Err(EngineError::BadInput {
                pointer: "/appName".to_owned(),
                why: format!("the connection {} has this appName; each needs its own", other.id),
            }),
        }
    }

    async fn free_app_name(&self, name: &str) -> Result<String, EngineError> {
        let all = self.store.connections().await?;
        let long = MAX_NAME - "Bookbridge (, 1000)".len();
        let name: String = name.chars().take(long).collect();
        let names = (1..MAX_SAME_NAME).map(|number| match number {
            1 => format!("Bookbridge ({name})"),
            number => format!("Bookbridge ({name}, {number})"),
        });
        let mut free = names.filter(|one| all.iter().all(|other| other.app_name != *one));
        free.next().ok_or_else(|| EngineError::NotNow(format!("too many connections named {name}")))
    }

    async fn free_id(&self, wish: Option<&str>, name: &str) -> Result<ConnectionId, EngineError> {
        if let Some(wish) = wish {
            let id = ConnectionId::parse(wish).map_err(|error| EngineError::BadInput {
                pointer: "/id".to_owned(),
                why: error.to_string(),
            })?;
            return match self.store.connection(&id).await? {
                Some(_) => Err(taken(&id)),
                None => Ok(id),
            };
        }
        let plain = ConnectionId::from_name(name);
        if self.store.connection(&plain).await?.is_none() {
            return Ok(plain);
        }
        // A long one makes room for its number.
        let stem: String = plain.as_str().chars().take(MAX_STEM).collect();
        for number in 2..MAX_SAME_NAME {
            let id = ConnectionId::from_name(&format!("{stem}-{number}"));
            if self.store.connection(&id).await?.is_none() {
                return Ok(id);
            }
        }
        Err(taken(&plain))
    }

    /// A password that no person chooses: 128 random bits, so that a plain SHA-256 keeps it safe.
    fn password(&self) -> (SecretString, Digest) {
        let text = format!("{:032x}", self.ambient.bits());
        let digest = Digest::of(text.as_bytes());
        (SecretString::from(text), digest)
    }

    fn random_uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.ambient.bits().to_be_bytes()).into_uuid()
    }

    /// Changes a connection.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`], [`EngineError::BadInput`].
    pub async fn change_connection(
        &self,
        id: &ConnectionId,
        change: ConnectionChange,
        actor: &Actor,
    ) -> Result<Connection, EngineError> {
        let name = change.name.as_deref().map(|it| text("/name", it, MAX_NAME)).transpose()?;
        let app_name =
            change.app_name.as_deref().map(|it| text("/appName", it, MAX_NAME)).transpose()?;
        if let Some(app_name) = &app_name {
            self.unused_app_name(app_name, Some(id)).await?;
        }
        // QuickBooks keeps what it did for an application by its name: under another name, a message
        // set that is sent again is done again.
        let renamed = match &app_name {
            Some(name) => self.connection(id).await?.app_name != *name,
            None => false,
        };
        if renamed && self.state(id).await?.outstanding.is_some() {
            let why =
                "the last answer of QuickBooks is being recovered; change appName once it is here";
            return Err(EngineError::NotNow(why.to_owned()));
        }
        let every = change.every_minutes.map(minutes).transpose()?;
        let file = change.company_file.map(|it| it.as_deref().map(path).transpose()).transpose()?;
        self.update(id, actor, "changed the connection", |connection| {
            if let Some(name) = &name {
                connection.name.clone_from(name);
            }
            if let Some(app_name) = &app_name {
                connection.app_name.clone_from(app_name);
            }
            if let Some(every) = every {
                connection.every_minutes = every;
            }
            if let Some(file) = &file {
                connection.company_file.clone_from(file);
            }
            if let Some(policy) = change.duplicate_numbers {
                connection.duplicate_numbers = policy;
            }
            if let Some(mirror) = change.mirror {
                connection.mirror = mirror;
            }
        })
        .await
    }

    async fn update(
        &self,
        id: &ConnectionId,
        actor: &Actor,
        action: &str,
        change: impl Fn(&mut Connection),
    ) -> Result<Connection, EngineError> {
        until_settled!(async {
            let mut connection = self.connection(id).await?;
            change(&mut connection);
            let changes = vec![Change::PutConnection(connection), self.note(id, actor, action, "")];
            self.store.commit(Commit { guards: Vec::new(), changes }).await?;
            self.connection(id).await
        })
    }

    /// Forgets a connection and everything that belongs to it; who did it stays in the activity of the
    /// server.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn remove_connection(
        &self,
        id: &ConnectionId,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        tracing::info!("{} removes connection {id}", actor.0);
        until_settled!(async {
            let connection = self.connection(id).await?;
            let subject = format!("connection {id}");
            let changes = vec![
                Change::RemoveConnection(id.clone(), connection.revision),
                self.note_of_server(actor, "removed", subject, &connection.name),
            ];
            Ok(self.store.commit(Commit { guards: Vec::new(), changes }).await?)
        })
    }

    /// Gives sessions no work until it is resumed.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn pause(&self, id: &ConnectionId, actor: &Actor) -> Result<Connection, EngineError> {
        let since = self.now();
        self.update(id, actor, "paused the connection", |connection| {
            connection.pause.get_or_insert(Pause { since, alert: None });
        })
        .await
    }

    /// Ends a pause, a person's or our own.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn resume(
        &self,
        id: &ConnectionId,
        actor: &Actor,
    ) -> Result<Connection, EngineError> {
        self.update(id, actor, "resumed the connection", |connection| connection.pause = None).await
    }

    /// Asks that the next session is not postponed. The Web Connector's own interval decides when
    /// it comes.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn sync_now(
        &self,
        id: &ConnectionId,
        actor: &Actor,
    ) -> Result<Connection, EngineError> {
        until_settled!(async {
            let connection = self.connection(id).await?;
            let mut state = self.state(id).await?;
            state.wanted = true;
            let changes =
                vec![Change::PutState(state), self.note(id, actor, "asked for a session", "")];
            self.store.commit(Commit { guards: Vec::new(), changes }).await?;
            Ok(connection)
        })
    }

    /// Makes a new password; the old one is refused from now on.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`].
    pub async fn rotate_password(
        &self,
        id: &ConnectionId,
        actor: &Actor,
    ) -> Result<(Connection, SecretString), EngineError> {
        let (password, digest) = self.password();
        let rotated = self
            .update(id, actor, "rotated the password", |connection| connection.password = digest)
            .await?;
        Ok((rotated, password))
    }

    /// Makes a new owner and file id: the `.qwc` must be installed anew.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnection`]; [`EngineError::NotNow`] while a message set is in doubt:
    /// QuickBooks keeps its answer under the old owner id.
    pub async fn rotate_identity(
        &self,
        id: &ConnectionId,
        actor: &Actor,
    ) -> Result<Connection, EngineError> {
        let (owner_id, file_id) = (self.random_uuid(), self.random_uuid());
        until_settled!(async {
            let mut connection = self.connection(id).await?;
            let mut state = self.state(id).await?;
            if state.outstanding.is_some() || state.living.is_some() {
                return Err(EngineError::NotNow(
                    "a session is at work, or its last answer is being recovered; rotate the \
                     identity once it is done"
                        .to_owned(),
                ));
            }
            connection.owner_id = owner_id;
            connection.file_id = file_id;
            // QuickBooks keeps message sets per application: the new one knows none of them.
            state.acknowledge = None;
            state.host = None;
            let changes = vec![
                Change::PutConnection(connection),
                Change::PutState(state),
                self.note(id, actor, "rotated the identity", ""),
            ];
            self.store.commit(Commit { guards: Vec::new(), changes }).await?;
            self.connection(id).await
        })
    }
}

fn taken(id: &ConnectionId) -> EngineError {
    EngineError::NotNow(format!("there is a connection {id} already"))
}

fn text(pointer: &str, given: &str, most: usize) -> Result<String, EngineError> {
    let given = given.trim();
    let length = given.chars().count();
    let what = match pointer {
        "/companyFile" => "the path of the company file",
        "/appName" => "the application's name",
        _ => "the name",
    };
    let why = if length == 0 || length > most {
        format!("{what} has 1 to {most} characters, not {length}")
    } else if given.chars().any(char::is_control) {
        format!("{what} holds no control characters")
    } else {
        return Ok(given.to_owned());
    };
    Err(EngineError::BadInput { pointer: pointer.to_owned(), why })
}

/// A full path on the QuickBooks machine, as `authenticate` answers it; a shorter answer is a word
/// of the protocol there, such as `none` (QBWC Programmer's Guide, p. 63).
fn path(given: &str) -> Result<String, EngineError> {
    let path = text("/companyFile", given, MAX_PATH)?;
    let mut begin = path.chars();
    let drive =
        begin.next().is_some_and(|it| it.is_ascii_alphabetic()) && begin.next() == Some(':');
    let full = (drive && matches!(begin.next(), Some('\\' | '/'))) || path.starts_with("\\\\");
    if full {
        return Ok(path);
    }
    let why = "the company file is a full path on the QuickBooks machine, such as \
               C:\\Books\\Acme.qbw or \\\\server\\books\\Acme.qbw; leave it out for the file that is \
               open";
    Err(EngineError::BadInput { pointer: "/companyFile".to_owned(), why: why.to_owned() })
}

fn minutes(given: u32) -> Result<u32, EngineError> {
    if MINUTES.contains(&given) {
        return Ok(given);
    }
    let (least, most) = (MINUTES.start(), MINUTES.end());
    let why = format!("everyMinutes is {least} to {most}, not {given}");
    Err(EngineError::BadInput { pointer: "/everyMinutes".to_owned(), why })
}
