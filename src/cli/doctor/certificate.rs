//! The certificate of a server, as a Web Connector meets it: trusted, for this host, not expired,
//! and over a version of TLS that Windows has switched on.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::SupportedProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

use crate::cli::client::handshake_in_words;

/// Longest wait for the other side.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was met.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Met {
    /// When the certificate expires, in seconds since 1970.
    pub(super) expires_at: i64,
    /// Whether TLS 1.2 is spoken: older Windows speaks nothing newer.
    pub(super) tls12: bool,
    /// Whether TLS 1.3 is spoken.
    pub(super) tls13: bool,
}

/// Whether anybody takes a call there.
///
/// # Errors
///
/// Why nobody does.
pub(super) fn called(host: &str, port: u16) -> Result<TcpStream, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut addresses = (host, port).to_socket_addrs().map_err(said)?;
    let address = addresses.next().ok_or("the name has no address")?;
    TcpStream::connect_timeout(&address, PATIENCE).map_err(said)
}

/// Looks at a server, with the certificates in a file for roots, or those that browsers have.
///
/// # Errors
///
/// The sentence of what does not fit.
pub(super) fn look(host: &str, port: u16, roots: Option<&Path>) -> Result<Met, String> {
    let roots = Arc::new(match roots {
        Some(file) => of_file(file)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    });
    let tls12 = handshake(host, port, roots.clone(), &rustls::version::TLS12);
    let tls13 = handshake(host, port, roots, &rustls::version::TLS13);
    let (has12, has13) = (tls12.is_ok(), tls13.is_ok());
    let expires_at = tls13.or(tls12)?;
    Ok(Met { expires_at, tls12: has12, tls13: has13 })
}

fn of_file(file: &Path) -> Result<RootCertStore, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| format!("{}: {error}", file.display()))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read);
    Ok(roots)
}

fn handshake(
    host: &str,
    port: u16,
    roots: Arc<RootCertStore>,
    version: &'static SupportedProtocolVersion,
) -> Result<i64, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .map_err(|error| said(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| said(&error))?;
    let mut connection =
        ClientConnection::new(Arc::new(config), name).map_err(|error| said(&error))?;
    let mut socket = called(host, port)?;
    for set in [socket.set_read_timeout(Some(PATIENCE)), socket.set_write_timeout(Some(PATIENCE))] {
        set.map_err(|error| said(&error))?;
    }
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    let request = format!("HEAD /qbwc HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| handshake_in_words(&error))?;
    let mut first = [0; 1];
    stream.read_exact(&mut first).map_err(|error| handshake_in_words(&error))?;
    let certificates = connection.peer_certificates().unwrap_or_default();
    let own = certificates.first().ok_or("it shows no certificate")?;
    expires(own.as_ref())
}

/// When a certificate expires.
fn expires(der: &[u8]) -> Result<i64, String> {
    let (_, certificate) = parse_x509_certificate(der).map_err(|error| error.to_string())?;
    Ok(certificate.validity().not_after.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let made = rcgen::generate_simple_self_signed(["books.example.com".to_owned()]).unwrap();

        // rcgen's certificates end in the year 4096.
        let year = jiff::Timestamp::from_second(expires(made.cert.der()).unwrap()).unwrap();
        assert!(year.to_string().starts_with("4096-01-01"), "{year}");
    }

    #[test]
    fn nobody_there_is_a_sentence() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);

        assert!(look("localhost", port, None).is_err_and(|why| !why.is_empty()));
    }
}
