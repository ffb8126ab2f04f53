//! What QuickBooks does not take for now, whatever the record: all of its sort wait together.
//!
//! In multi-user mode QuickBooks refuses some requests (status 3162) until its administrator has
//! switched, and it would refuse the others of that kind as well. The one that was refused goes again
//! by itself; the others wait until then, each with the reason, and a person may try any of them at
//! once.
//!
//! Source: OSR, "QBSDK error codes" (3162); `HostRet/QBFileMode`.

use crate::diagnosis;
use crate::domain::backoff;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::domain::record::Status;
use crate::engine::EngineError;
use crate::engine::compose;
use crate::engine::work::Work;

/// The cause of 3162.
pub(super) const SINGLE_USER: &str = "multi_user_mode";
/// Places of the queue that are looked at.
const LOOKED_AT: usize = 200;

impl Work<'_> {
    /// Nothing of this kind can be done in QuickBooks now: the record, and those like it that are
    /// next, wait for as long.
    pub(super) async fn hold_kind(
        &mut self,
        mut record: Record,
        purpose: Purpose,
        finding: Finding,
    ) -> Result<(), EngineError> {
        let now = self.engine.now();
        let due = Some(now + backoff::of_question(record.tries));
        let note = format!("{}; tried again by itself", diagnosis::render(&finding).title);
        record.tries += 1;
        record.due = due;
        record.findings = vec![finding.clone()];
        let key = record.key.clone();
        self.again(record, &note);
        let queued = self.engine.store.ready(&self.connection.id, now, LOOKED_AT).await?;
        for subject in queued.into_iter().map(|queued| queued.subject) {
            let Subject::Record(other) = subject else { continue };
            if other.kind != key.kind || other == key {
                continue;
            }
            let Some(mut other) = self.record(&other).await? else { continue };
            let same = other.status == Status::Queued
                && other.due.is_none_or(|due| due <= now)
                && compose::purpose(&other) == purpose;
            if same {
                other.due = due;
                other.findings = vec![finding.clone()];
                other.become_status(Status::Queued, now, &note);
                self.put_record(other);
            }
        }
        Ok(())
    }
}
