//! Whether the open company file is the connection's.
//!
//! The strongest evidence is our own stamp, the `FileID` that the Web Connector wrote into the file
//! under our `OwnerID` when it was added there; then the path. A file in which the Web Connector
//! holds its lock for us, but that has no stamp, is not the one to which it was added. With no
//! evidence at all the first file is believed, because that is what pairing is (QBWC Programmer's
//! Guide, pp. 36 and 52; for the lock, its log).

use crate::diagnosis;
use crate::domain::connection::Connection;
use crate::domain::connection::ConnectorState;
use crate::domain::connection::Host;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::session::Company;
use crate::engine::FirstCall;
use crate::engine::known;
use crate::engine::work::Work;
use crate::qbxml::host::HostFacts;
use crate::qbxml::version::Version;

impl Work<'_> {
    /// Takes in what the first call of a session tells. What fails of a feature that was turned on
    /// since goes again once this step is written.
    pub(crate) fn hear(&mut self, call: &FirstCall) -> Company {
        let before = bound(call, &self.connection, &mut self.state);
        let verdict = verdict(call, &self.connection, before.as_ref());
        self.state.host = if verdict == Company::Ours {
            let now = read(call, &self.connection, before.as_ref());
            self.gone.extend(before.iter().flat_map(|before| known::company::mended(before, &now)));
            if !now.company_file.is_empty() {
                // QuickBooks let it in: what was wrong before is not any more.
                self.state.trouble = None;
            }
            Some(now)
        } else {
            before
        };
        verdict
    }
}

/// What the first call of a session tells, in the form in which it is kept.
pub(crate) fn read(call: &FirstCall, connection: &Connection, before: Option<&Host>) -> Host {
    let facts = HostFacts::read(&call.hcp, &braced(connection.owner_id));
    let known = |new: &str, old: fn(&Host) -> &str| {
        if new.is_empty() { before.map_or("", old).to_owned() } else { new.to_owned() }
    };
    let listed = Version::highest(facts.supported_versions.iter().map(String::as_str));
    let version = if call.major > 0 {
        format!("{}.{}", call.major, call.minor)
    } else if let Some(highest) = listed {
        highest.to_string()
    } else {
        before.map_or_else(String::new, |host| host.qbxml_version.clone())
    };
    Host {
        product: known(&facts.product_name, |host| &host.product),
        country: known(&call.country, |host| &host.country),
        qbxml_version: version,
        company_file: known(&call.company_file, |host| &host.company_file),
        company_name: known(&facts.company_name, |host| &host.company_name),
        file_id: facts.company_file_id.or_else(|| before.and_then(|host| host.file_id.clone())),
        file_mode: known(&facts.file_mode, |host| &host.file_mode),
        // A first call that tells preferences tells these: no closing date is a fact too.
        defaults: match facts.class_tracking {
            Some(_) => facts.defaults,
            None => before.map(|it| it.defaults.clone()).unwrap_or_default(),
        },
        closing_date: match facts.class_tracking {
            Some(_) => facts.closing_date,
            None => facts.closing_date.or_else(|| before.and_then(|it| it.closing_date.clone())),
        },
        class_tracking: facts.class_tracking.or_else(|| before.and_then(|it| it.class_tracking)),
        multi_currency: facts.multi_currency.or_else(|| before.and_then(|it| it.multi_currency)),
        estimates: facts.estimates.or_else(|| before.and_then(|it| it.estimates)),
        inventory: facts.inventory.or_else(|| before.and_then(|it| it.inventory)),
        sites: facts.sites.or_else(|| before.and_then(|it| it.sites)),
        price_levels: facts.price_levels.or_else(|| before.and_then(|it| it.price_levels)),
        tracking: facts.tracking.or_else(|| before.and_then(|it| it.tracking.clone())),
    }
}

/// Whether the company file carried the connection's stamp.
pub(crate) fn is_stamped(connection: &Connection, host: &Host) -> bool {
    host.file_id.as_deref().is_some_and(|id| same_id(id, &braced(connection.file_id)))
}

/// What was known of the company file before, as far as it binds: until a person has confirmed it,
/// each session tells anew which one is open, as long as nothing came of the one before.
pub(crate) fn bound(
    call: &FirstCall,
    connection: &Connection,
    state: &mut ConnectorState,
) -> Option<Host> {
    let untouched = state.acknowledge.is_none()
        && state.outstanding.is_none()
        && state.mirror.values().all(|part| part.told_at.is_none());
    let may_change = untouched && connection.awaits_confirmation();
    let same = |host: &Host| verdict(call, connection, Some(host)) == Company::Ours;
    state.host.take().filter(|host| !may_change || same(host))
}

/// Compares what the first call tells with what the connection expects.
pub(crate) fn verdict(call: &FirstCall, connection: &Connection, before: Option<&Host>) -> Company {
    let facts = HostFacts::read(&call.hcp, &braced(connection.owner_id));
    let ours = braced(connection.file_id);
    if let Some(stamp) = &facts.company_file_id {
        return if same_id(stamp, &ours) {
            Company::Ours
        } else {
            let why = "it carries the stamp of another connection";
            other(connection, before, call, &facts.company_name, why)
        };
    }
    let stamped_before = before.is_some_and(|host| is_stamped(connection, host));
    if (stamped_before || facts.is_locked) && !facts.company_name.is_empty() {
        let why = "it does not carry this connection's stamp";
        return other(connection, before, call, &facts.company_name, why);
    }
    if stamped_before && (!call.hcp.trim().is_empty() || call.company_file.is_empty()) {
        let why = "what QuickBooks told of it could not be read";
        return other(connection, before, call, &facts.company_name, why);
    }
    let named = before.map_or("", |host| host.company_name.as_str());
    if ![named, &facts.company_name].contains(&"") && !same_name(named, &facts.company_name) {
        let why = format!("its company is {}, and it was {named} before", facts.company_name);
        return other(connection, before, call, &facts.company_name, &why);
    }
    let expected = connection
        .company_file
        .as_deref()
        .or_else(|| before.map(|host| host.company_file.as_str()))
        .filter(|path| !path.is_empty());
    match expected {
        Some(path) if !call.company_file.is_empty() && !same_path(path, &call.company_file) => {
            other(connection, before, call, &facts.company_name, "")
        }
        _ => Company::Ours,
    }
}

fn other(
    connection: &Connection,
    before: Option<&Host>,
    call: &FirstCall,
    name: &str,
    why: &str,
) -> Company {
    let open = if call.company_file.is_empty() { name } else { &call.company_file };
    let seen = before.map(|host| host.company_file.as_str());
    let expected = connection.company_file.as_deref().or(seen);
    // That one path is not itself would be no sentence.
    let expected = expected.filter(|path| !same_path(path, open)).unwrap_or_default();
    let finding = Finding::new(Code::WrongCompanyFile)
        .fact("expected", expected)
        .fact("open", open)
        .fact("company", name)
        .fact("why", why);
    let said = diagnosis::render(&finding).detail;
    Company::Other(Box::new(finding), said)
}

/// A GUID as `.qwc` files and company files write it.
pub(crate) fn braced(id: uuid::Uuid) -> String {
    id.braced().to_string()
}

fn same_id(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.trim().trim_matches(['{', '}']).to_ascii_lowercase();
    bare(a) == bare(b)
}

fn same_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// Windows does not tell case apart, nor `/` from `\`.
pub fn same_path(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.trim().replace('/', "\\").to_lowercase();
    plain(a) == plain(b)
}
