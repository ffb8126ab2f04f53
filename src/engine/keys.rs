//! API keys.

use secrecy::SecretString;

use crate::domain::activity::ApiKey;
use crate::domain::activity::Scope;
use crate::domain::ids::KeyId;
use crate::engine::Engine;
use crate::engine::EngineError;

impl Engine {
    /// Makes a key; its text is not kept.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadInput`] if the name is longer than 100 characters.
    pub async fn create_key(
        &self,
        _name: &str,
        _scope: Scope,
    ) -> Result<(ApiKey, SecretString), EngineError> {
        todo!()
    }

    /// The key of this text, if it is one and not revoked. Compares digests in constant time.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub async fn authorise(&self, _text: &str) -> Result<Option<ApiKey>, EngineError> {
        todo!()
    }

    /// Refuses a key from now on.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`].
    pub async fn revoke_key(&self, _id: KeyId) -> Result<ApiKey, EngineError> {
        todo!()
    }
}
