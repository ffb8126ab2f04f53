//! Bugs on purpose, so that the simulation shows that it would find them.
//!
//! Without the feature `plants`, which no build for use has, [`planted`] is `false` for ever and the
//! compiler leaves the bug out.

/// Declares the bugs once, with what each does.
macro_rules! plants {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Plant {
            $($(#[doc = $doc])* $name,)*
        }

        impl Plant {
            /// Every bug.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

plants! {
    /// What is written is not made durable. A power cut shows it, a crash of the program does not.
    SkipFlush,
    /// A caller hears that its commit is on disk before it is.
    AnswerBeforeCommit,
    /// What is in doubt is sent again in other bytes.
    RebuiltBytes,
    /// New work is handed out while an answer is outstanding.
    FreshBeforeDoubt,
    /// The last answer of a message set is passed over.
    DropAnAnswer,
    /// An Add whose outcome nobody knows is sent again.
    BlindRetry,
    /// Every message set has the same id.
    SameMessageSetId,
    /// Children are not looked at when their parent settles.
    ForgetChildren,
    /// A session that ended is handed work.
    DeadTicketSends,
    /// A second session is let in while the first is at work.
    TwoSessions,
    /// The watermark moves before the commit is durable.
    WatermarkEarly,
    /// The parts of a refused message set do not go back into the queue.
    SplitForgotten,
    /// What was changed while it was out is not sent afterwards.
    ForgetChanged,
    /// A lost answer is not remembered.
    DoubtForgotten,
    /// What is in doubt goes back into the queue when it is put again.
    PutWhileInDoubt,
    /// What goes back into the queue does not get a new sequence: it goes before what waits.
    RequeueWithoutSequence,
    /// A link forgets where the record stood, and that its Add is lost.
    LinkForgets,
    /// What was gone once is taken to be gone for ever, whatever backup is restored.
    GoneForEver,
}

#[cfg(feature = "plants")]
mod active {
    use std::sync::LazyLock;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use super::Plant;

    /// One more than the number of the bug; 0: none. A program begins with the bug that
    /// `PLANTED_BUG` names.
    static ACTIVE: LazyLock<AtomicUsize> = LazyLock::new(|| {
        let named = std::env::var("PLANTED_BUG").unwrap_or_default();
        let found = Plant::ALL.iter().position(|plant| format!("{plant:?}") == named);
        AtomicUsize::new(found.map_or(0, |number| number + 1))
    });

    /// Plants one bug instead of the one before, or none.
    pub fn plant(plant: Option<Plant>) {
        ACTIVE.store(plant.map_or(0, |plant| plant as usize + 1), Ordering::SeqCst);
    }

    /// Whether this bug is planted.
    pub fn planted(plant: Plant) -> bool {
        ACTIVE.load(Ordering::SeqCst) == plant as usize + 1
    }
}

#[cfg(feature = "plants")]
pub use active::plant;
#[cfg(feature = "plants")]
pub use active::planted;

/// Whether this bug is planted: never, without the feature.
#[cfg(not(feature = "plants"))]
pub const fn planted(_: Plant) -> bool {
    false
}
