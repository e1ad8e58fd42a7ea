//! Calls of the doors themselves.
