//! A request body as it arrives: gathered up to a size, passed on, or drained.

use std::io;
use std::time::Duration;

use actix_web::web::Payload;
use bytes::Bytes;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::Sender;

use crate::soap::guard::Malformed;

/// A request body.
pub(crate) struct Body {
    payload: Payload,
    idle: Duration,
    /// What arrived and was not taken yet.
    pub(crate) bytes: BytesMut,
    /// Whether there is no more.
    pub(crate) ended: bool,
}

impl Body {
    /// A body of which nothing was read. A pause longer than `idle` breaks it off.
    pub(crate) fn new(payload: Payload, idle: Duration) -> Self {
        Self { payload, idle, bytes: BytesMut::new(), ended: false }
    }

    /// Waits until more than `enough` bytes are here, or all.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if the client stops or goes away.
    pub(crate) async fn gather(&mut self, enough: usize) -> Result<(), Malformed> {
        while !self.ended && self.bytes.len() <= enough {
            match self.next().await {
                Ok(Some(piece)) => self.bytes.extend_from_slice(&piece),
                Ok(None) => {}
                Err(_) => return Err(Malformed::Truncated),
            }
        }
        Ok(())
    }

    /// Passes on what arrives from now on. If nobody takes it any more, the rest is drained, because a
    /// .NET client reads no answer before it has written all; beyond `most` bytes it must.
    pub(crate) async fn pump(mut self, to: Sender<io::Result<Bytes>>, most: u64) {
        let mut passed = 0;
        loop {
            let piece = self.next().await.transpose();
            let Some(piece) = piece else { return };
            let broken = piece.is_err();
            passed += piece.as_ref().map_or(0, |piece| piece.len() as u64);
            if to.send(piece).await.is_err() {
                drop(to);
                return self.drain(most.saturating_sub(passed)).await;
            }
            if broken {
                return;
            }
        }
    }

    /// Reads the rest and forgets it, up to `most` bytes.
    pub(crate) async fn drain(mut self, most: u64) {
        let mut left = most;
        while let Ok(Some(piece)) = self.next().await {
            left = left.saturating_sub(piece.len() as u64);
            if left == 0 {
                return;
            }
        }
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match tokio::time::timeout(self.idle, self.payload.next()).await {
            Ok(Some(Ok(piece))) => Ok(Some(piece)),
            Ok(Some(Err(error))) => Err(io::Error::other(error)),
            Ok(None) => {
                self.ended = true;
                Ok(None)
            }
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }
}
