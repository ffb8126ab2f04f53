//! Answers that are too long to hold, piece by piece, read off the async threads.

use std::io;
use std::io::Read;

use actix_web::web;
use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::stream;

/// How much of a file is in memory at a time.
const PIECE: usize = 64 << 10;

/// Pieces that are made by a blocking iterator.
pub(super) fn blocking<I>(pieces: I) -> impl Stream<Item = io::Result<Bytes>> + 'static
where
    I: Iterator<Item = io::Result<Bytes>> + Send + 'static,
{
    stream::unfold(Some(pieces), |pieces| async {
        let mut pieces = pieces?;
        let made = web::block(move || (pieces.next(), pieces)).await;
        match made {
            Ok((Some(Ok(piece)), pieces)) => Some((Ok(piece), Some(pieces))),
            Ok((Some(Err(why)), _)) => {
                tracing::error!("an answer broke off: {why}");
                Some((Err(why), None))
            }
            Ok((None, _)) => None,
            Err(why) => Some((Err(io::Error::other(why)), None)),
        }
    })
}

/// The pieces of a reader.
pub(super) fn pieces(mut from: impl Read) -> impl Iterator<Item = io::Result<Bytes>> {
    std::iter::from_fn(move || {
        let mut piece = vec![0; PIECE];
        match from.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(piece.into()))
            }
            Err(why) => Some(Err(why)),
        }
    })
}
