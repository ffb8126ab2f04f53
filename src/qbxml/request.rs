//! A message set written out.
