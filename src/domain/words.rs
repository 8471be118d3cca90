//! Enums that are stored and printed as words.

/// Declares an enum whose members have one stable word each, used in the database, in import files
/// and in the documented dialects.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$member_doc])* $member,)* }

        impl $name {
            /// Every member, in order.
            pub const ALL: &[Self] = &[$(Self::$member,)*];

            /// The stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $word,)* }
            }

            /// Reads the stable word, or says which words there are.
            pub fn parse(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$member),)*
                    _ => Err(format!("One of {} is needed here.", [$($word),*].join(", "))),
                }
            }
        }
    };
}
pub(crate) use words;
