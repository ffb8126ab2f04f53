//! Who is logged in. It lives in memory: after a restart people log in again.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::domain::ids::Digest;

/// A login without a call for this long is over.
const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// A login is over after this long in any case.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Logins at a time; the oldest make room.
const MAX_LOGINS: usize = 10_000;
/// Wrong passwords for one name before it has to wait.
const MAX_WRONG: u32 = 5;
/// How long it has to wait then.
const WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Forms that are known to have been sent.
const MAX_SENT: usize = 10_000;
/// Names whose wrong passwords are counted.
const MAX_NAMES: usize = 10_000;

/// One login.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// The user's name.
    pub(super) name: String,
    /// Must stand in every form.
    pub(super) csrf: String,
    began_at: Timestamp,
    last_seen_at: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    logins: HashMap<Digest, Login>,
    wrong: HashMap<String, (u32, Timestamp)>,
    setup: Option<Digest>,
    /// Forms that were sent already, the newest last.
    sent: VecDeque<Digest>,
}

/// All logins of a process.
#[derive(Debug, Default)]
pub struct Logins(Mutex<State>);

impl Logins {
    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The token of the link that makes the first user, from now on.
    pub fn offer_setup(&self, token: &str) {
        let digest = Digest::of(token.as_bytes());
        self.state(|state| state.setup = Some(digest));
    }

    /// Whether this is the token of the link that makes the first user.
    pub(super) fn is_setup(&self, token: &str) -> bool {
        let given = Digest::of(token.as_bytes());
        self.state(|state| state.setup.as_ref().is_some_and(|setup| setup.matches(&given)))
    }

    /// Whether a form with this token comes for the first time. A page that is loaded again sends its
    /// form again: what makes a secret must not make another one then.
    pub(super) fn is_first(&self, once: &str) -> bool {
        let given = Digest::of(once.as_bytes());
        self.state(|state| {
            let first = once.is_empty() || !state.sent.contains(&given);
            if first && !once.is_empty() {
                state.sent.push_back(given);
                if state.sent.len() > MAX_SENT {
                    state.sent.pop_front();
                }
            }
            first
        })
    }

    /// The link was used.
    pub(super) fn end_setup(&self) {
        self.state(|state| state.setup = None);
    }

    /// Whether a name has to wait because of wrong passwords.
    pub(super) fn must_wait(&self, name: &str, now: Timestamp) -> bool {
        self.state(|state| {
            let wrong = state.wrong.get(&name.trim().to_lowercase());
            wrong.is_some_and(|(count, at)| *count >= MAX_WRONG && now.duration_since(*at) < WAIT)
        })
    }

    /// A password was wrong. Whether the name has to wait from now on.
    pub(super) fn was_wrong(&self, name: &str, now: Timestamp) -> bool {
        self.state(|state| {
            if state.wrong.len() >= MAX_NAMES {
                state.wrong.retain(|_, (_, at)| now.duration_since(*at) < WAIT);
            }
            let wrong = state.wrong.entry(name.trim().to_lowercase()).or_insert((0, now));
            let old = now.duration_since(wrong.1) >= WAIT;
            *wrong = (if old { 1 } else { wrong.0 + 1 }, now);
            wrong.0 == MAX_WRONG
        })
    }

    /// Somebody logged in: `token` goes into the cookie, `csrf` into every form.
    pub(super) fn begin(&self, token: &str, name: &str, csrf: String, now: Timestamp) {
        let login = Login { name: name.to_owned(), csrf, began_at: now, last_seen_at: now };
        self.state(|state| {
            state.wrong.remove(name);
            state.logins.retain(|_, login| login.lives(now));
            if state.logins.len() >= MAX_LOGINS {
                let oldest = state.logins.iter().min_by_key(|(_, login)| login.last_seen_at);
                if let Some(digest) = oldest.map(|(digest, _)| *digest) {
                    state.logins.remove(&digest);
                }
            }
            state.logins.insert(Digest::of(token.as_bytes()), login);
        });
    }

    /// The login of a cookie, if it is not over.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Login> {
        let digest = Digest::of(token.as_bytes());
        self.state(|state| {
            let login = state.logins.get_mut(&digest).filter(|login| login.lives(now))?;
            login.last_seen_at = now;
            Some(login.clone())
        })
    }

    /// Somebody logged out.
    pub(super) fn end(&self, token: &str) {
        let digest = Digest::of(token.as_bytes());
        self.state(|state| state.logins.remove(&digest));
    }

    /// A user's other logins are over: the password was changed, or the user was shut out.
    pub(super) fn end_all(&self, name: &str, but: Option<&str>) {
        let kept = but.map(|token| Digest::of(token.as_bytes()));
        self.state(|state| {
            state.logins.retain(|digest, login| login.name != name || Some(*digest) == kept);
        });
    }
}

impl Login {
    fn lives(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_seen_at) < IDLE && now.duration_since(self.began_at) < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn a_login_ends_when_nobody_comes_and_after_a_week() {
        let logins = Logins::default();
        logins.begin("t", "ann", "c".to_owned(), at(0));

        assert!(logins.find("t", at(7)).is_some());
        assert!(logins.find("t", at(16)).is_none());
        logins.begin("u", "ann", "c".to_owned(), at(0));
        let last = (1..200).take_while(|hours| logins.find("u", at(*hours)).is_some()).last();
        assert_eq!(last, Some(7 * 24 - 1));
        assert!(logins.find("other", at(0)).is_none());
    }

    #[test]
    fn five_wrong_passwords_make_a_name_wait() {
        let logins = Logins::default();
        for _ in 0..5 {
            assert!(!logins.must_wait("Ann", at(0)));
            logins.was_wrong("ann ", at(0));
        }

        assert!(logins.must_wait("ann", at(0)));
        assert!(!logins.must_wait("bob", at(0)));
        assert!(!logins.must_wait("ann", at(1)));
    }

    #[test]
    fn another_password_ends_the_other_logins() {
        let logins = Logins::default();
        for (token, name) in [("a", "ann"), ("b", "ann"), ("c", "bob")] {
            logins.begin(token, name, "c".to_owned(), at(0));
        }

        logins.end_all("ann", Some("b"));

        let lives = |token| logins.find(token, at(0)).is_some();
        assert_eq!((lives("a"), lives("b"), lives("c")), (false, true, true));
    }
}
