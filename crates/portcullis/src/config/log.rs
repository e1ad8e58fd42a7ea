//! The section `[log]`: what is written to the standard error.

use super::reader::Section;

/// What is written to the standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Log {
    /// The form of a line.
    pub(crate) format: LogFormat,
    /// The least important kind of line that is written.
    pub(crate) level: LogLevel,
}

/// The form of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

/// How important a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogLevel {
    /// Something failed.
    Error,
    /// Something may fail soon.
    Warn,
    /// Something happened.
    Info,
    /// How it happened.
    Debug,
}

/// Reads `[log]`.
pub(super) fn log(mut section: Section<'_, '_>) -> Option<Log> {
    let format = section.text("format", |text| match text {
        "human" => Some(LogFormat::Human),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    let level = section.text("level", |text| match text {
        "error" => Some(LogLevel::Error),
        "warn" => Some(LogLevel::Warn),
        "info" => Some(LogLevel::Info),
        "debug" => Some(LogLevel::Debug),
        _ => None,
    });
    section.finish(&[]);
    Some(Log { format: format?, level: level? })
}
