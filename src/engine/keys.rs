//! API keys: 128 random bits, kept as a digest.

use secrecy::SecretString;

use crate::domain::activity::ApiKey;
use crate::domain::activity::Scope;
use crate::domain::ids::Digest;
use crate::domain::ids::KeyId;
use crate::domain::ids::Revision;
use crate::engine::Actor;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ambient;
use crate::engine::until_settled;
use crate::store::Change;
use crate::store::Commit;

/// Begins every key, so that scanners for leaked secrets recognise one.
const PREFIX: &str = "bbk_";
/// Longest name, in characters.
const MAX_NAME: usize = 100;

impl Engine {
    /// Makes a key; its text is not kept.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadInput`] if the name has no or more than 100 characters.
    pub async fn create_key(
        &self,
        name: &str,
        scope: Scope,
        actor: &Actor,
    ) -> Result<(ApiKey, SecretString), EngineError> {
        let name = name.trim();
        if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(EngineError::BadInput {
                pointer: "/name".to_owned(),
                why: format!("a key's name has 1 to {MAX_NAME} characters, none of them control"),
            });
        }
        let text = format!("{PREFIX}{:032x}", self.ambient.bits());
        let mut key = ApiKey {
            id: KeyId(ambient::time_ordered(self.ambient.as_ref())),
            revision: Revision::NEW,
            name: name.to_owned(),
            scope,
            digest: Digest::of(text.as_bytes()),
            created_at: self.now(),
            revoked_at: None,
        };
        let changes = vec![Change::PutKey(key.clone()), self.note_of_key(actor, "made", &key)];
        self.store.commit(Commit { guards: Vec::new(), changes }).await?;
        key.revision = key.revision.next();
        Ok((key, SecretString::from(text)))
    }

    /// The key of this text, if it is one and not revoked. Compares digests in constant time.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn authorise(&self, text: &str) -> Result<Option<ApiKey>, EngineError> {
        let digest = Digest::of(text.as_bytes());
        let found = self.store.key_of_digest(&digest).await?;
        Ok(found.filter(|key| key.digest.matches(&digest) && key.revoked_at.is_none()))
    }

    /// Refuses a key from now on.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`].
    pub async fn revoke_key(&self, id: KeyId, actor: &Actor) -> Result<ApiKey, EngineError> {
        until_settled!(async {
            let found = self.store.keys().await?.into_iter().find(|key| key.id == id);
            let mut key = found.ok_or_else(|| EngineError::NotFound(format!("key {id}")))?;
            if key.revoked_at.is_none() {
                key.revoked_at = Some(self.now());
                let changes =
                    vec![Change::PutKey(key.clone()), self.note_of_key(actor, "revoked", &key)];
                self.store.commit(Commit { guards: Vec::new(), changes }).await?;
            }
            Ok(key)
        })
    }

    /// A line of the server's activity: names are no secrets, and neither is an id.
    fn note_of_key(&self, actor: &Actor, action: &str, key: &ApiKey) -> Change {
        let detail = format!("scope {}, id {}", key.scope.as_str(), key.id);
        self.note_of_server(actor, action, format!("API key {}", key.name), &detail)
    }
}
