//! Exit codes: what a script can tell without reading.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed: the authority is out of reach, a file cannot be read, something is not as it should be.
    Failed,
    /// The command line could not be understood.
    Usage,
    /// A token is unknown, expired or revoked.
    InvalidToken,
    /// A good credential without the right, or no credential: sign in.
    Refused,
    /// Asked too often.
    RateLimited,
    /// The scanner found tokens.
    Findings,
    /// The scanner found tokens that are live.
    LiveFindings,
    /// What the command of `nlp exec` ended with.
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
