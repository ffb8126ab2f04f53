//! What the Web Connector calls.

use secrecy::SecretString;

use crate::domain::message_set::Body;
use crate::engine::Engine;
use crate::engine::EngineError;

/// What `authenticate` answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    /// There is work.
    Work {
        /// Names the session; 128 random bits.
        ticket: String,
        /// Path of the company file; empty: the one that is open.
        company_file: String,
    },
    /// Nothing to do, or not now.
    None {
        /// Seconds until the next try, if it should wait longer than its own interval.
        postpone: Option<u64>,
        /// The shortest interval in seconds that makes sense.
        at_least: Option<u64>,
    },
    /// The name or password is wrong.
    Refused,
    /// Another session of the connection is at work.
    Busy,
}

/// What `sendRequestXML` brings.
#[derive(Clone, Debug, Default)]
pub struct FirstCall {
    /// `strHCPResponse`: host, company and preferences; empty but in the first call of a session.
    pub hcp: String,
    /// `strCompanyFileName`.
    pub company_file: String,
    /// `qbXMLCountry`.
    pub country: String,
    /// `qbXMLMajorVers`.
    pub major: u16,
    /// `qbXMLMinorVers`.
    pub minor: u16,
}

impl Engine {
    /// `authenticate`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers `busy`.
    pub async fn authenticate(
        &self,
        _username: &str,
        _password: &SecretString,
    ) -> Result<Login, EngineError> {
        todo!()
    }

    /// `sendRequestXML`: the document for QuickBooks, or an empty text.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers an empty text.
    pub async fn send_request(
        &self,
        _ticket: &str,
        _call: FirstCall,
    ) -> Result<String, EngineError> {
        todo!()
    }

    /// `receiveResponseXML`: percent done, or a negative number. The response was spooled through
    /// [`crate::store::Store::spool`] (it is empty when `hresult` is not).
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers a negative number.
    pub async fn receive_response(
        &self,
        _ticket: &str,
        _response: Body,
        _hresult: &str,
        _message: &str,
    ) -> Result<i32, EngineError> {
        todo!()
    }

    /// `connectionError`: `done`, or the company file to try instead.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers `done`.
    pub async fn connection_error(
        &self,
        _ticket: &str,
        _hresult: &str,
        _message: &str,
    ) -> Result<String, EngineError> {
        todo!()
    }

    /// `getLastError`: one plain line.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone.
    pub async fn last_error(&self, _ticket: &str) -> Result<String, EngineError> {
        todo!()
    }

    /// `closeConnection`: the line that the Web Connector shows.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] alone; the caller answers `OK`.
    pub async fn close_connection(&self, _ticket: &str) -> Result<String, EngineError> {
        todo!()
    }
}
