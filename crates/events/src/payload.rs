//! How a payload finds its type: `poolshift.installed`, version 1, and its JSON.

/// Why a stored record could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    /// A newer version of Poolshift wrote it.
    #[error(
        "record of type `{kind}` version {version} was written by a newer Poolshift; upgrade this process"
    )]
    Newer {
        /// The type as written.
        kind: String,
        /// The type's version as written.
        version: u16,
    },
    /// The type is known, the body does not fit it.
    #[error("record of type `{kind}` does not fit its type: {why}")]
    Malformed {
        /// The type as written.
        kind: String,
        /// What serde found wrong.
        why: String,
    },
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(
    kind: &str,
    bytes: &[u8],
) -> Result<T, Unreadable> {
    serde_json::from_slice(bytes).map_err(|error| Unreadable::Malformed {
        kind: kind.to_owned(),
        why: why_not::<T>(bytes).unwrap_or_else(|| error.to_string()),
    })
}

/// Reads once more, slower, to say which field is wrong; serde_json alone says only where in the
/// text it gave up.
pub(crate) fn why_not<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<String> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize::<_, T>(&mut json)
        .err()
        .map(|error| match error.path().to_string().as_str() {
            "." => error.inner().to_string(),
            path => format!("`{path}`: {}", error.inner()),
        })
}

/// Our own types have string keys and no failing serialisers, so writing them cannot fail; were
/// it ever to, the empty body is one that no reader accepts.
pub(crate) fn write<T: serde::Serialize>(payload: &T) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}

/// Declares an enum of payload structs, each with its wire name and version.
macro_rules! payloads {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $kind:literal v $version:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vmeta])* $variant($variant),)+
        }

        impl $name {
            /// All wire names with their versions, in the order of the contract.
            pub const KINDS: &'static [(&'static str, u16)] = &[$(($kind, $version)),+];

            /// The wire name, such as `poolshift.installed`.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)+ }
            }

            /// The version of the wire type.
            #[must_use]
            pub const fn version(&self) -> u16 {
                match self { $(Self::$variant(_) => $version,)+ }
            }

            /// The body as it is stored.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                match self { $(Self::$variant(payload) => crate::payload::write(payload),)+ }
            }

            /// Reads a stored body.
            ///
            /// # Errors
            /// [`Unreadable`](crate::Unreadable) when the type is not known here or the body does
            /// not fit it.
            pub fn from_bytes(kind: &str, version: u16, bytes: &[u8]) -> Result<Self, crate::Unreadable> {
                match (kind, version) {
                    $(($kind, $version) => crate::payload::read(kind, bytes).map(Self::$variant),)+
                    _ => Err(crate::Unreadable::Newer { kind: kind.to_owned(), version }),
                }
            }
        }

        $(impl From<$variant> for $name {
            fn from(payload: $variant) -> Self { Self::$variant(payload) }
        })+
    };
}

pub(crate) use payloads;
