//! Text as QuickBooks stores it.
