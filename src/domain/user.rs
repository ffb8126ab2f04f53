//! People who use the pages.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::activity::Scope;
use crate::domain::ids::Revision;

/// One person, without the password.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct User {
    /// Its name in forms.
    pub id: Uuid,
    /// How often it was written.
    pub revision: Revision,
    /// What the person types to log in, and the actor in the activity; lower case, unique.
    pub name: String,
    /// Argon2id hash of the password, as a PHC string.
    pub password: String,
    /// What the person may do: `read` is a viewer, `write` an operator, `admin` an admin.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when the person may not log in any more.
    pub disabled_at: Option<Timestamp>,
}

/// What people call a scope.
pub const fn role(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "viewer",
        Scope::Write => "operator",
        Scope::Admin => "admin",
    }
}

/// The scope of a role.
pub fn scope(role: &str) -> Option<Scope> {
    [Scope::Read, Scope::Write, Scope::Admin].into_iter().find(|scope| self::role(*scope) == role)
}
