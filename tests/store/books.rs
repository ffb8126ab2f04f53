//! Random changes, held against a book kept by hand: indexes and counts never drift.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bookbridge::domain::ids::Revision;
use bookbridge::domain::message_set::Subject;
use bookbridge::domain::record::Record;
use bookbridge::domain::record::Reference;
use bookbridge::domain::record::Status;
use bookbridge::domain::request::Request;
use bookbridge::domain::request::RequestStatus;
use bookbridge::store::Change;
use bookbridge::store::RecordFilter;
use bookbridge::store::Store;

use crate::store::Dice;
use crate::store::entities::*;
use crate::store::for_each_store;

for_each_store! {
    random_changes_keep_the_books,
}

const NAMES: u64 = 24;

#[derive(Default)]
struct Book {
    /// With the order in which they were first put.
    records: BTreeMap<String, (usize, Record)>,
    requests: BTreeMap<u128, Request>,
    sequence: u64,
}

fn roll(dice: &mut Dice, mut record: Record) -> Record {
    record.status = Status::ALL[usize::try_from(dice.below(9)).unwrap()];
    record.priority = i32::try_from(dice.below(3)).unwrap() - 1;
    record.due = (dice.below(3) == 0).then(|| at(i64::try_from(dice.below(20)).unwrap()));
    record.blocked_by.clear();
    if record.status == Status::Blocked {
        record.blocked_by =
            (0..dice.below(3)).map(|_| key(&dice.below(NAMES).to_string())).collect();
        record.blocked_by.dedup();
    }
    record.reference = (dice.below(2) == 0)
        // No two records may stand at one object.
        .then(|| format!("8000-{}-{}", record.key.source_id, dice.below(2)))
        .map(|id| Reference { id, ..Reference::default() });
    if dice.below(4) == 0 {
        record.sequence = 0;
    }
    record
}

impl Book {
    fn sequence(&mut self, given: u64) -> u64 {
        if given == 0 {
            self.sequence += 1;
            self.sequence
        } else {
            given
        }
    }

    fn next(&mut self, dice: &mut Dice) -> Change {
        if dice.below(5) == 0 {
            let number = u128::from(dice.below(6));
            let mut request =
                self.requests.get(&number).cloned().unwrap_or_else(|| request(number));
            request.status =
                [RequestStatus::Queued, RequestStatus::Sent][usize::from(dice.below(2) == 0)];
            let change = Change::PutRequest(Box::new(request.clone()));
            request.sequence = self.sequence(request.sequence);
            request.revision = request.revision.next();
            self.requests.insert(number, request);
            return change;
        }
        let name = dice.below(NAMES).to_string();
        let order = self.records.len();
        let (order, old) =
            self.records.get(&name).cloned().unwrap_or_else(|| (order, record(&name)));
        let mut record = roll(dice, old);
        let change = put(&record);
        record.sequence = self.sequence(record.sequence);
        record.revision = record.revision.next();
        self.records.insert(name, (order, record));
        change
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|(_, record)| record)
    }

    fn ready(&self, now: i64) -> Vec<Subject> {
        let mut queue: Vec<_> = self
            .records()
            .filter(|record| record.status == Status::Queued)
            .filter(|record| record.due.is_none_or(|due| due <= at(now)))
            .map(|it| (Reverse(it.priority), it.sequence, Subject::Record(it.key.clone())))
            .collect();
        let requests =
            self.requests.values().filter(|request| request.status == RequestStatus::Queued);
        queue.extend(
            requests.map(|it| (Reverse(it.priority), it.sequence, Subject::Request(it.id))),
        );
        queue.sort();
        queue.into_iter().map(|(_, _, subject)| subject).collect()
    }

    async fn compare(&self, store: &dyn Store) {
        let acme = acme();
        let counts = store.counts(&acme).await.unwrap();
        for status in Status::ALL {
            let expected: Vec<_> = self.records().filter(|it| it.status == status).collect();
            assert_eq!(counts.of(status), expected.len() as u64, "{status}");

            let filter = RecordFilter { status: Some(status), ..RecordFilter::default() };
            let listed = store.records(&acme, &filter, None, 99).await.unwrap().items;
            assert_eq!(listed.len(), expected.len(), "{status}");
            assert!(listed.iter().all(|record| record.status == status));
        }
        let queued = self.requests.values().filter(|it| it.status == RequestStatus::Queued);
        assert_eq!(counts.requests_queued, queued.count() as u64);

        for now in [0, 7, 19] {
            let ready = store.ready(&acme, at(now), 99).await.unwrap();
            let subjects: Vec<_> = ready.into_iter().map(|queued| queued.subject).collect();
            assert_eq!(subjects, self.ready(now));

            let first: Vec<_> = store.ready(&acme, at(now), 3).await.unwrap();
            assert!(first.iter().map(|queued| &queued.subject).eq(subjects.iter().take(3)));

            let queued = self.records().filter(|it| it.status == Status::Queued);
            let next = queued.filter_map(|it| it.due).filter(|due| *due > at(now)).min();
            assert_eq!(store.next_due(&acme, at(now)).await.unwrap(), next);
        }
        for name in 0..NAMES {
            let parent = key(&name.to_string());
            let mut waiting = store.waiting_for(&parent, 99).await.unwrap();
            waiting.sort();
            let mut expected: Vec<_> = self
                .records()
                .filter(|it| it.blocked_by.contains(&parent))
                .map(|it| it.key.clone())
                .collect();
            expected.sort();
            assert_eq!(waiting, expected, "{parent}");

            let id = format!("8000-{name}");
            let found = store.record_at(&acme, &id).await.unwrap();
            let stands_there = |it: &&Record| it.reference.as_ref().is_some_and(|r| r.id == id);
            match found {
                Some(found) => {
                    assert!(self.records().filter(stands_there).any(|it| it.key == found));
                }
                None => assert_eq!(self.records().filter(stands_there).count(), 0, "{id}"),
            }
        }
        let mut expected: Vec<_> = self.records.values().collect();
        expected.sort_by_key(|(order, _)| Reverse(*order));
        let listed = store.records(&acme, &RecordFilter::default(), None, 99).await.unwrap();
        assert!(listed.items.iter().eq(expected.into_iter().map(|(_, record)| record)));
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

async fn random_changes_keep_the_books(store: &dyn Store) {
    let mut dice = Dice(0x5eed);
    let mut book = Book::default();
    begin(store).await;

    for step in 0..400 {
        let changes: Vec<_> = (0..=dice.below(3)).map(|_| book.next(&mut dice)).collect();
        write(store, changes).await.unwrap();
        if dice.below(8) == 0 {
            // What is refused changes nothing.
            let stale = Record { revision: Revision(u64::MAX / 2), ..record("0") };
            let change = book.records.get("1").map(|(_, it)| put(it));
            assert!(is_conflict(&write(store, change.into_iter().chain([put(&stale)])).await));
        }
        if step % 25 == 24 {
            book.compare(store).await;
        }
    }
}
