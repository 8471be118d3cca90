//! Enums that are stored and printed as words.

/// Declares an enum whose members have one stable word each, used in the database, in import files
/// and in the documented dialects. A last member, after `or`, can represent all words of another
/// such enum.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal,)* }
        $(or $(#[$others_doc:meta])* $others:ident($inner:ident))?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$member_doc])* $member,)*
            $($(#[$others_doc])* $others($inner),)?
        }

        impl $name {
            /// Every member with a word of its own, in order.
            pub const ALL: &[Self] = &[$(Self::$member,)*];

            /// Returns the stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                    $(Self::$others(other) => other.as_str(),)?
                }
            }

            /// Parses a stable word, or returns an error that lists the valid words.
            pub fn parse(word: &str) -> Result<Self, String> {
                $(if let Ok(other) = $inner::parse(word) {
                    return Ok(Self::$others(other));
                })?
                match word {
                    $($word => Ok(Self::$member),)*
                    _ => Err(format!("Must be one of {}.", [$($word),*].join(", "))),
                }
            }
        }
    };
}
pub(crate) use words;
