//! Exit codes.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed: the authority cannot be reached, a file cannot be read, a check failed.
    Failed,
    /// The command line could not be understood.
    Usage,
    /// A token is unknown, expired or revoked.
    InvalidToken,
    /// The credential lacks a right, or there is none: sign in.
    Refused,
    /// Rate limited.
    RateLimited,
    /// The scanner found tokens.
    Findings,
    /// The scanner found tokens that are live.
    LiveFindings,
    /// The exit code of the command of `nlp exec`.
    Command(u8),
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::InvalidToken => 3,
            Self::Refused => 4,
            Self::RateLimited => 5,
            Self::Findings => 10,
            Self::LiveFindings => 11,
            Self::Command(code) => code,
        }
    }
}
