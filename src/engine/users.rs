//! Users of the pages: argon2id passwords, roles, and who may log in.

use argon2::Argon2;
use argon2::PasswordHasher as _;
use argon2::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::phc::Salt;
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::activity::Scope;
use crate::domain::ids::Revision;
use crate::domain::user;
use crate::domain::user::User;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ambient;
use crate::engine::until_settled;
use crate::store::Change;
use crate::store::Commit;
use crate::store::StoreError;

/// Longest name, in characters.
const MAX_NAME: usize = 60;
/// Shortest password, in characters (NIST SP 800-63B asks for 8; pages are open to a network).
const MIN_PASSWORD: usize = 10;
/// Longest password, in bytes.
const MAX_PASSWORD: usize = 200;
/// The hash of no password: a name that nobody has costs as much time as one that somebody has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Engine {
    /// Makes a user.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadInput`] for the name or the password; [`EngineError::NotNow`] if the name
    /// is taken.
    pub async fn add_user(
        &self,
        name: &str,
        password: SecretString,
        scope: Scope,
        actor: &Actor,
    ) -> Result<User, EngineError> {
        let name = user_name(name)?;
        let line = Line { actor, action: "made", detail: user::role(scope) };
        self.make_user(name, password, scope, line).await
    }

    async fn make_user(
        &self,
        name: String,
        password: SecretString,
        scope: Scope,
        line: Line<'_>,
    ) -> Result<User, EngineError> {
        let password = self.hash(password).await?;
        let user = User {
            id: ambient::time_ordered(self.ambient.as_ref()),
            revision: Revision::NEW,
            name: name.clone(),
            password,
            scope,
            created_at: self.now(),
            disabled_at: None,
        };
        let changes = vec![Change::PutUser(user), self.note_of_user(&line, &name)];
        match self.store.commit(Commit { guards: Vec::new(), changes }).await {
            Err(StoreError::Conflict { .. }) => {
                return Err(EngineError::NotNow(format!("there is a user {name} already")));
            }
            other => other?,
        }
        let made = self.store.user_named(&name).await?;
        made.ok_or_else(|| EngineError::NotFound(format!("user {name}")))
    }

    /// The first user, an admin, who makes itself: only while there is none.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotNow`] if there is a user already; as [`Engine::add_user`].
    pub async fn add_first_user(
        &self,
        name: &str,
        password: SecretString,
    ) -> Result<User, EngineError> {
        if !self.store.users().await?.is_empty() {
            return Err(EngineError::NotNow("there is a user already; log in".to_owned()));
        }
        let name = user_name(name)?;
        let actor = Actor(name.clone());
        let detail = "the first admin, by the link of the first start";
        let line = Line { actor: &actor, action: "made", detail };
        self.make_user(name, password, Scope::Admin, line).await
    }

    /// The user of a name, if the password is right and the user may log in.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn log_in_user(
        &self,
        name: &str,
        password: SecretString,
    ) -> Result<Option<User>, EngineError> {
        let found = self.store.user_named(&name.trim().to_lowercase()).await?;
        let hash = found.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password.clone());
        let right = tokio::task::spawn_blocking(move || {
            let given = password.expose_secret().as_bytes();
            let hash = PasswordHash::new(&hash);
            given.len() <= MAX_PASSWORD
                && hash.is_ok_and(|hash| Argon2::default().verify_password(given, &hash).is_ok())
        });
        let right = right.await.map_err(|error| StoreError::Stopped(error.to_string()))?;
        Ok(found.filter(|user| right && user.disabled_at.is_none()))
    }

    /// A name has to wait because of wrong passwords. Only of a user that is there is it written down:
    /// what strangers type as a name may be anything, a password too, and as much as they like.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn made_to_wait(&self, name: &str) -> Result<(), EngineError> {
        if let Some(user) = self.store.user_named(&name.trim().to_lowercase()).await? {
            let actor = Actor::ourselves();
            let detail = "wrong passwords; logins under this name are refused for a while";
            let line = Line { actor: &actor, action: "shut out for a while", detail };
            self.store.commit(self.note_of_user(&line, &user.name).into()).await?;
        }
        Ok(())
    }

    /// Gives a user another password.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadInput`]; [`EngineError::NotFound`].
    pub async fn set_user_password(
        &self,
        id: Uuid,
        password: SecretString,
        actor: &Actor,
    ) -> Result<User, EngineError> {
        let hash = self.hash(password).await?;
        self.change_user(id, |user| {
            user.password.clone_from(&hash);
            vec![self.note_of_user(
                &Line { actor, action: "set the password of", detail: "" },
                &user.name,
            )]
        })
        .await
    }

    /// Gives a user another role, or lets the user log in or not. One admin is always left.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`]; [`EngineError::NotNow`] for the last admin.
    pub async fn set_user(
        &self,
        id: Uuid,
        scope: Scope,
        disabled: bool,
        actor: &Actor,
    ) -> Result<User, EngineError> {
        let users = self.store.users().await?;
        let mut admins =
            users.iter().filter(|it| it.scope == Scope::Admin && it.disabled_at.is_none());
        let others = admins.any(|it| it.id != id);
        if !others && (scope != Scope::Admin || disabled) {
            return Err(EngineError::NotNow("this is the last admin".to_owned()));
        }
        let now = self.now();
        self.change_user(id, |user| {
            let mut notes = Vec::new();
            if user.scope != scope {
                let detail = format!("{}, was {}", user::role(scope), user::role(user.scope));
                let line = Line { actor, action: "changed the role of", detail: &detail };
                notes.push(self.note_of_user(&line, &user.name));
            }
            if user.disabled_at.is_some() != disabled {
                let action = if disabled { "shut out" } else { "let in again" };
                notes.push(self.note_of_user(&Line { actor, action, detail: "" }, &user.name));
            }
            user.scope = scope;
            user.disabled_at = disabled.then_some(user.disabled_at.unwrap_or(now));
            notes
        })
        .await
    }

    /// Changes a user, with what the activity says of it.
    async fn change_user(
        &self,
        id: Uuid,
        change: impl Fn(&mut User) -> Vec<Change>,
    ) -> Result<User, EngineError> {
        until_settled!(async {
            let found = self.store.users().await?.into_iter().find(|user| user.id == id);
            let mut user = found.ok_or_else(|| EngineError::NotFound(format!("user {id}")))?;
            let mut changes = change(&mut user);
            changes.push(Change::PutUser(user.clone()));
            self.store.commit(Commit { guards: Vec::new(), changes }).await?;
            Ok::<_, EngineError>(user)
        })
    }

    fn note_of_user(&self, line: &Line<'_>, name: &str) -> Change {
        self.note_of_server(line.actor, line.action, format!("user {name}"), line.detail)
    }

    async fn hash(&self, password: SecretString) -> Result<String, EngineError> {
        let length = password.expose_secret().chars().count();
        if length < MIN_PASSWORD || password.expose_secret().len() > MAX_PASSWORD {
            return Err(EngineError::BadInput {
                pointer: "/password".to_owned(),
                why: format!(
                    "a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters, not {length}"
                ),
            });
        }
        let salt = self.ambient.bits().to_be_bytes();
        let hashed = tokio::task::spawn_blocking(move || {
            let salt = Salt::new(&salt)?;
            let hash: PasswordHash = Argon2::default()
                .hash_password_with_salt(password.expose_secret().as_bytes(), salt.as_ref())?;
            Ok::<_, argon2::password_hash::Error>(hash.to_string())
        });
        let hashed = hashed.await.map_err(|error| StoreError::Stopped(error.to_string()))?;
        hashed.map_err(|error| StoreError::Stopped(error.to_string()).into())
    }
}

/// What the activity says of a change of a user.
struct Line<'a> {
    actor: &'a Actor,
    action: &'a str,
    detail: &'a str,
}

fn user_name(name: &str) -> Result<String, EngineError> {
    let name = name.trim().to_lowercase();
    let length = name.chars().count();
    let right = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    if (1..=MAX_NAME).contains(&length) && name.chars().all(right) {
        return Ok(name);
    }
    let why = format!("a name has 1 to {MAX_NAME} letters, digits, and . - _ @ +");
    Err(EngineError::BadInput { pointer: "/name".to_owned(), why })
}
