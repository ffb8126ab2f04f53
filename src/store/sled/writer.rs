//! The one thread that writes.
//!
//! It takes all commits that wait, drafts each on top of those before it, writes what is good in one
//! transaction, makes it durable with one barrier, and only then answers. After any error of the disk
//! it answers [`StoreError::Stopped`] for ever: what is on the disk then, only reopening tells.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::domain::ids::ConnectionId;
use crate::domain::plant::Plant;
use crate::domain::plant::planted;
use crate::store::StoreError;
use crate::store::sled::apply::Prepared;
use crate::store::sled::apply::Removed;
use crate::store::sled::check;
use crate::store::sled::disk::Room;
use crate::store::sled::draft::Batch;
use crate::store::sled::draft::Draft;
use crate::store::sled::draft::Marks;
use crate::store::sled::export;
use crate::store::sled::fault::Fault;
use crate::store::sled::fault::Faults;
use crate::store::sled::import;
use crate::store::sled::import::Failed;
use crate::store::sled::remove;
use crate::store::sled::shelf::Shelf;
use crate::store::sled::watermark::Watermark;

/// Most commits of one transaction.
const MOST: usize = 256;

/// Who waits for an answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
pub(super) enum Ask {
    /// Write it.
    Commit(Prepared, Reply<()>),
    /// Write everything to a file.
    Export(PathBuf, Reply<u64>),
    /// Read everything from a file.
    Import(PathBuf, Reply<u64>),
    /// Compare everything.
    Check(Reply<Vec<String>>),
    /// End.
    Close(Option<Reply<()>>),
}

/// The thread's own state.
pub(super) struct Writer {
    pub(super) db: ::sled::Db,
    pub(super) shelf: Shelf,
    /// Our own descriptor of sled's log, for the barrier.
    pub(super) log: File,
    pub(super) watermark: Watermark,
    pub(super) marks: Marks,
    /// Where sled would put what it cannot keep safe.
    pub(super) blobs: PathBuf,
    pub(super) room: Room,
    pub(super) faults: Option<Arc<dyn Faults>>,
    /// Connections that are being removed, and who waits for the end of it.
    pub(super) removals: VecDeque<ConnectionId>,
    pub(super) removed: BTreeMap<ConnectionId, Vec<Reply<()>>>,
    /// Why it stopped, for those who come later.
    pub(super) stopped: Arc<OnceLock<String>>,
}

/// Why the thread ends; everything else is answered and forgotten.
pub(super) struct Broken(String);

impl Writer {
    /// Works until it is closed, dropped, or broken.
    pub(super) fn run(mut self, asks: &mpsc::Receiver<Ask>) {
        let why = match self.work(asks) {
            Ok(reply) => match self.end() {
                Ok(()) => {
                    let _ = self.stopped.set("it was closed".to_owned());
                    answer(reply, Ok(()));
                    return;
                }
                Err(Broken(why)) => {
                    answer(reply, Err(StoreError::Stopped(why.clone())));
                    why
                }
            },
            Err(Broken(why)) => why,
        };
        tracing::error!("the store stopped: {why}");
        let _ = self.stopped.set(why);
    }

    fn work(&mut self, asks: &mpsc::Receiver<Ask>) -> Result<Option<Reply<()>>, Broken> {
        loop {
            let mut next = if self.removals.is_empty() {
                match asks.recv() {
                    Ok(ask) => Some(ask),
                    Err(mpsc::RecvError) => return Ok(None),
                }
            } else {
                self.remove_a_bit()?;
                match asks.try_recv() {
                    Ok(ask) => Some(ask),
                    Err(mpsc::TryRecvError::Empty) => None,
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(None),
                }
            };
            let mut commits = Vec::new();
            while let Some(Ask::Commit(prepared, reply)) = next {
                commits.push((prepared, reply));
                next = if commits.len() < MOST { asks.try_recv().ok() } else { None };
            }
            if !commits.is_empty() {
                self.commit(commits)?;
            }
            match next {
                Some(Ask::Export(to, reply)) => {
                    drop(reply.send(export::export(&self.shelf, &to, self.marks.sequence)));
                }
                Some(Ask::Import(from, reply)) => self.import(&from, reply)?,
                Some(Ask::Check(reply)) => {
                    drop(reply.send(check::check(&self.shelf, &self.blobs, self.marks)));
                }
                Some(Ask::Close(reply)) => return Ok(reply),
                Some(Ask::Commit(..)) | None => {}
            }
        }
    }

    fn end(&mut self) -> Result<(), Broken> {
        self.barrier()?;
        self.watermark.write(self.marks.commit)?;
        Ok(self.watermark.sync()?)
    }

    fn commit(&mut self, commits: Vec<(Prepared, Reply<()>)>) -> Result<(), Broken> {
        let mut batch = Batch::new(self.marks);
        let mut full = None;
        let mut answers = Vec::with_capacity(commits.len());
        for (prepared, reply) in commits {
            let files = prepared.files();
            if prepared.grows() && *full.get_or_insert_with(|| self.room.is_short()) {
                self.shelf.files.remove(files);
                drop(reply.send(Err(StoreError::Full)));
                continue;
            }
            let mut draft = Draft::new(&self.shelf, &batch);
            match prepared.apply(&mut draft) {
                Ok(removed) => {
                    let changed = draft.finish();
                    batch.absorb(changed);
                    answers.push((reply, removed));
                }
                Err(StoreError::Io { what, source }) => {
                    return Err(Broken(format!("{what}: {source}")));
                }
                Err(refused) => {
                    self.shelf.files.remove(files);
                    drop(reply.send(Err(refused)));
                }
            }
        }
        if answers.is_empty() {
            return Ok(());
        }
        // Commits that change nothing ask whether the store still works.
        if batch.is_empty() {
            for (reply, _) in answers {
                drop(reply.send(Ok(())));
            }
            return Ok(());
        }
        if planted(Plant::AnswerBeforeCommit) {
            for (reply, removed) in answers {
                self.answer_commit(reply, removed);
            }
            return self.write(batch);
        }
        if let Err(Broken(why)) = self.write(batch) {
            for (reply, _) in answers {
                drop(reply.send(Err(StoreError::Stopped(why.clone()))));
            }
            return Err(Broken(why));
        }
        for (reply, removed) in answers {
            self.answer_commit(reply, removed);
        }
        Ok(())
    }

    /// Answers at once, or when all that belonged to a removed connection is gone.
    fn answer_commit(&mut self, reply: Reply<()>, removed: Removed) {
        let last = removed.last().cloned();
        self.removals.extend(removed);
        match last {
            Some(id) => self.removed.entry(id).or_default().push(reply),
            None => drop(reply.send(Ok(()))),
        }
    }

    fn import(&mut self, from: &Path, reply: Reply<u64>) -> Result<(), Broken> {
        match import::import(self, from) {
            Ok(lines) => drop(reply.send(Ok(lines))),
            Err(Failed::Refused(error)) => drop(reply.send(Err(error))),
            Err(Failed::Half(error)) => {
                drop(reply.send(Err(error)));
                return Err(Broken("an import was broken off".to_owned()));
            }
            Err(Failed::Broken(Broken(why))) => {
                drop(reply.send(Err(StoreError::Stopped(why.clone()))));
                return Err(Broken(why));
            }
        }
        Ok(())
    }

    fn remove_a_bit(&mut self) -> Result<(), Broken> {
        let Some(id) = self.removals.front().cloned() else { return Ok(()) };
        let mut batch = Batch::new(self.marks);
        let mut draft = Draft::new(&self.shelf, &batch);
        let last = match remove::bit(&self.shelf, &mut draft, &id) {
            Ok(last) => last,
            Err(StoreError::Io { what, source }) => {
                return Err(Broken(format!("{what}: {source}")));
            }
            Err(error) => {
                // It is tried again at the next start; until then its name cannot be used again.
                tracing::error!("connection {id} cannot be removed to the end: {error}");
                self.removals.pop_front();
                for reply in self.removed.remove(&id).unwrap_or_default() {
                    let (what, why) = (format!("connection {id}"), error.to_string());
                    drop(reply.send(Err(StoreError::Corrupt { what, why })));
                }
                return Ok(());
            }
        };
        let changed = draft.finish();
        batch.absorb(changed);
        self.write(batch)?;
        if last {
            self.removals.pop_front();
            for reply in self.removed.remove(&id).unwrap_or_default() {
                drop(reply.send(Ok(())));
            }
        }
        Ok(())
    }

    /// Writes a batch and makes it durable.
    pub(super) fn write(&mut self, mut batch: Batch) -> Result<(), Broken> {
        let commit = batch.marks.commit;
        let fault = self.faults.as_ref().map_or(Fault::None, |faults| faults.at(commit));
        if planted(Plant::WatermarkEarly) {
            self.watermark.write(commit)?;
        }
        if fault == Fault::Before {
            return Err(Broken("a planted fault before the transaction".to_owned()));
        }
        self.shelf.trees.write(batch.seal())?;
        self.barrier()?;
        self.watermark.write(commit)?;
        if fault == Fault::After {
            return Err(Broken("a planted fault after the transaction".to_owned()));
        }
        self.marks = batch.marks;
        self.shelf.files.remove(batch.gone);
        Ok(())
    }

    /// Makes durable what was written. sled's `flush` ends in `sync_file_range`, which promises
    /// nothing after a power cut; `fdatasync` of its log does.
    fn barrier(&self) -> Result<(), Broken> {
        self.db.flush()?;
        if planted(Plant::SkipFlush) {
            return Ok(());
        }
        Ok(self.log.sync_data()?)
    }
}

fn answer(reply: Option<Reply<()>>, with: Result<(), StoreError>) {
    if let Some(reply) = reply {
        // Whoever asked may have gone meanwhile.
        let _ = reply.send(with);
    }
}

impl From<::sled::Error> for Broken {
    fn from(error: ::sled::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
