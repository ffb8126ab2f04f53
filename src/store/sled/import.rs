//! Reads an export into an empty store: first to its end, to see that it is whole, then once more.

use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;

use crate::domain::message_set::Body;
use crate::store::StoreError;
use crate::store::entity::Entity;
use crate::store::export::Importer;
use crate::store::export::Line;
use crate::store::sled::apply;
use crate::store::sled::apply::Mode;
use crate::store::sled::apply::Written;
use crate::store::sled::draft::Batch;
use crate::store::sled::draft::Draft;
use crate::store::sled::files::Files;
use crate::store::sled::files::Unfinished;
use crate::store::sled::links;
use crate::store::sled::trees::Tree;
use crate::store::sled::writer::Broken;
use crate::store::sled::writer::Writer;

/// Stands in [`Tree::Meta`] while an import is not at its end.
pub(super) const UNFINISHED: &[u8] = b"unfinished import";

/// Entities of one transaction.
const MOST: usize = 256;

/// Why an import ended early.
pub(super) enum Failed {
    /// Nothing was written.
    Refused(StoreError),
    /// Something was, and is marked as unfinished: the store is of no use.
    Half(StoreError),
    /// The disk.
    Broken(Broken),
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// Imports a file. Returns its lines.
pub(super) fn import(writer: &mut Writer, from: &Path) -> Result<u64, Failed> {
    let refuse = |why: String| StoreError::Import { path: from.display().to_string(), why };
    for tree in links::ROWS {
        let first = writer.shelf.trees.scan(tree, &[]).next().transpose();
        if first.map_err(Failed::Refused)?.is_some() {
            let why = "the store is not empty; import into a new directory".to_owned();
            return Err(Failed::Refused(refuse(why)));
        }
    }
    verify(from).map_err(|why| Failed::Refused(refuse(why)))?;
    load(writer, from, &refuse)
}

fn open(from: &Path) -> Result<Importer<BufReader<File>>, String> {
    let file = File::open(from).map_err(|error| error.to_string())?;
    Importer::new(BufReader::with_capacity(1 << 20, file))
}

/// Reads it to its end and keeps nothing.
fn verify(from: &Path) -> Result<(), String> {
    let mut lines = open(from)?;
    let mut body = Foretold::default();
    while let Some(line) = lines.next()? {
        body.hold(&line).map_err(|why| format!("line {}: {why}", lines.lines()))?;
    }
    match body.0 {
        Some((name, _)) => Err(format!("nothing names the body {name}")),
        None => Ok(()),
    }
}

/// Reads it once more and keeps all of it.
fn load(
    writer: &mut Writer,
    from: &Path,
    refuse: &impl Fn(String) -> StoreError,
) -> Result<u64, Failed> {
    let half = |why: String| Failed::Half(refuse(why));
    let mut lines = open(from).map_err(half)?;
    let sequence = lines.header().sequence;
    let files = writer.shelf.files.clone();
    let mut body = None;
    let mut entities = Vec::with_capacity(MOST);
    loop {
        let line = lines.next().map_err(half)?;
        let stage = if line.is_some() { Stage::Middle } else { Stage::End };
        match line {
            Some(Line::Body { bytes, .. }) => write_part(&files, &mut body, &bytes)?,
            Some(Line::Entity(entity)) => {
                let entity = with_body(*entity, body.take())?;
                let mut written = Written::new(entity).map_err(Failed::Half)?;
                written.spill(&files)?;
                entities.push(written);
            }
            None => {}
        }
        if entities.len() >= MOST || stage == Stage::End {
            let restored = restore(writer, entities.drain(..), sequence, stage)?;
            restored.map_err(|why| half(format!("up to line {}: {why}", lines.lines())))?;
        }
        if stage == Stage::End {
            return Ok(lines.lines());
        }
    }
}

/// Whether more comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Middle,
    End,
}

/// Writes entities in one transaction. The inner error says why they cannot be.
fn restore(
    writer: &mut Writer,
    entities: impl Iterator<Item = Written>,
    sequence: u64,
    stage: Stage,
) -> Result<Result<(), String>, Failed> {
    let mut batch = Batch::new(writer.marks);
    let mut draft = Draft::new(&writer.shelf, &batch);
    for entity in entities {
        match apply::put(&mut draft, entity, Mode::Restore) {
            Ok(_) => {}
            Err(StoreError::Conflict { what }) => return Ok(Err(format!("{what} stands twice"))),
            Err(error) => return Err(Failed::Half(error)),
        }
    }
    draft.saw_sequence(sequence);
    match stage {
        Stage::Middle => draft.set(Tree::Meta, UNFINISHED.to_vec(), Vec::new()),
        Stage::End => draft.unset(Tree::Meta, UNFINISHED.to_vec()),
    }
    let changed = draft.finish();
    batch.absorb(changed);
    writer.write(batch)?;
    Ok(Ok(()))
}

/// The body that was read before the entity that names it.
#[derive(Default)]
struct Foretold(Option<(String, u64)>);

impl Foretold {
    fn hold(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Body { name, bytes } => {
                let so_far = match self.0.take() {
                    None => 0,
                    Some((last, length)) if last == *name => length,
                    Some((last, _)) => return Err(format!("nothing names the body {last}")),
                };
                self.0 = Some((name.clone(), so_far + bytes.len() as u64));
                Ok(())
            }
            Line::Entity(entity) => {
                let named = entity.spooled().map(|(name, length)| (name.to_owned(), length));
                let body = self.0.take();
                let same = match (&body, &named) {
                    // An empty body has no lines.
                    (None, Some((_, 0))) => true,
                    (body, named) => body == named,
                };
                if same { Ok(()) } else { Err(format!("{} and its body differ", entity.name())) }
            }
        }
    }
}

fn write_part(files: &Files, body: &mut Option<Unfinished>, bytes: &[u8]) -> io::Result<()> {
    let file = match body.take() {
        Some(file) => file,
        None => files.begin("body")?,
    };
    body.insert(file).write_all(bytes)
}

/// Gives an entity its body under the name that it has here.
fn with_body(mut entity: Entity, body: Option<Unfinished>) -> io::Result<Entity> {
    if let Entity::MessageSet(set) = &mut entity
        && let Some(Body::Spooled { name, .. }) = &mut set.response
    {
        match body {
            Some(body) => *name = body.finish()?,
            None => set.response = Some(Body::Inline(String::new())),
        }
    }
    Ok(entity)
}
