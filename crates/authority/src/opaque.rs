//! Opaque secrets: a prefix that tells what one is for and 64 hexadecimal digits, stored as SHA-256.
//!
//! 256 random bits need no slow hash: there is nothing to guess.

/// Hexadecimal digits behind the prefix.
pub(crate) const DIGITS: usize = 64;

/// Declares an opaque secret: no `Display`, no `Serialize`; its `Debug` shows the prefix alone.
macro_rules! opaque_secret {
    ($(#[$doc:meta])* $name:ident = $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(::zeroize::Zeroizing<String>);

        impl $name {
            /// Makes one of 256 random bits.
            pub fn from_random(random: [u8; 32]) -> Self {
                let mut text =
                    ::zeroize::Zeroizing::new(String::with_capacity($prefix.len() + $crate::opaque::DIGITS));
                text.push_str($prefix);
                for byte in ::zeroize::Zeroizing::new(random).iter() {
                    for nibble in [byte >> 4, byte & 15] {
                        text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
                    }
                }
                Self(text)
            }

            /// Reads one as presented; nothing when it is not of the form.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                let fits = digits.len() == $crate::opaque::DIGITS
                    && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
                fits.then(|| Self(::zeroize::Zeroizing::new(text.to_owned())))
            }

            /// What is stored.
            pub fn digest(&self) -> [u8; 32] {
                use ::sha2::Digest as _;
                ::sha2::Sha256::digest(self.0.as_bytes()).into()
            }

            /// The text. Reading it is meant to be visible in review.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(", $prefix, "…)"))
            }
        }
    };
}

pub(crate) use opaque_secret;
