//! Entries as clients send them.

use serde_json::json;

use super::*;
