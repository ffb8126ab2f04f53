//! A raw query with `iterator="Start"`, fetched to its end, page by page.
//!
//! An iterator lives as long as the session that began it, so the pages of one session belong
//! together: what was interrupted begins again from the first page, and nothing of it is shown
//! before the last one is here. So nothing is skipped and nothing comes twice.
//!
//! Source: OSR, "Using iterators".

use crate::domain::ids::SessionId;
use crate::domain::message_set::MessageSet;
use crate::domain::request::Iterator;
use crate::domain::request::Request;
use crate::domain::request::RequestStatus;
use crate::engine::answer::Answer;

/// As our writer writes it.
const START: &str = " iterator=\"Start\"";
/// The end of iterators that died: QuickBooks was closed and opened meanwhile, or has too many.
const MAX_RESTARTS: u32 = 3;

/// What is asked next: the query itself, or the page after those that this session has.
pub(crate) fn next(request: &mut Request, session: SessionId) -> String {
    match &request.iterator {
        Some(iterator) if iterator.session == session => {
            let id = iterator.id.replace(['"', '<', '&'], "");
            let go_on = format!(" iterator=\"Continue\" iteratorID=\"{id}\"");
            request.qbxml.replacen(START, &go_on, 1)
        }
        _ => {
            request.iterator = None;
            request.pages.clear();
            request.qbxml.clone()
        }
    }
}

/// A page came: where the request stands now.
pub(crate) fn turn(request: &mut Request, message_set: &MessageSet, answer: Option<&Answer>) {
    request.status = RequestStatus::Answered;
    if request.types.len() != 1 || !request.qbxml.contains(START) {
        return;
    }
    let refused =
        answer.is_none_or(|answer| answer.said.status_code.is_some_and(|code| code >= 1000));
    let more = answer.and_then(|answer| answer.iterator.as_ref()).filter(|(_, left)| *left > 0);
    match more {
        Some((id, _)) if !refused => {
            request.pages.push(message_set.id.clone());
            request.iterator = Some(Iterator { session: message_set.session, id: id.clone() });
            request.status = RequestStatus::Queued;
        }
        // In the middle an error means that the iterator is gone, not that the query is bad.
        _ if refused && !request.pages.is_empty() && request.tries < MAX_RESTARTS => {
            request.iterator = None;
            request.pages.clear();
            request.tries += 1;
            request.status = RequestStatus::Queued;
        }
        _ => request.iterator = None,
    }
}
