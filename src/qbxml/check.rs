//! Everything that QuickBooks would refuse, found before it is queued.
