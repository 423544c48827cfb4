//! Names that people give: they parse or fail, so that no path, header or key is ever built from
//! a text that could mean something else there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind} name: {rule}")]
pub struct NameError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

impl NameError {
    fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self {
            kind,
            text: shown(text),
            rule,
        }
    }

    /// What the text should have been the name of: `server`, `version`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// How such a name is written.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

/// A refused text as errors show it: on one line, and only its beginning, since it is somebody
/// else's text in our logs.
pub(crate) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 120;
    let beginning: String = text.chars().take(CHARS_MAX).collect();
    let more = if beginning.len() < text.len() {
        "..."
    } else {
        ""
    };
    format!("{}{more}", beginning.escape_debug())
}

macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $valid:expr, $rule:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError::new($kind, text, $rule))
                }
            }
        }

        text_form!($name);
    };
}

macro_rules! text_form {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn lower(text: &str) -> bool {
    bounded(text, 63, |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
    })
}

fn mixed(text: &str) -> bool {
    bounded(text, 63, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
    })
}

fn environment(text: &str) -> bool {
    lower(text) && !matches!(text, "machine" | "partition")
}

fn version(text: &str) -> bool {
    !is_windows_device(text)
        && bounded(text, 100, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+')
        })
}

/// Whether Windows takes the name for a device, whatever follows the first dot.
fn is_windows_device(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or_default();
    let stem = stem.to_ascii_lowercase();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device).map(str::as_bytes);
        matches!(number, Some([b'0'..=b'9']))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

fn bounded(text: &str, longest: usize, allowed: fn(u8) -> bool) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= longest
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| allowed(*byte))
}

name!(
    /// A service: something that gets rolled out, such as `checkout`.
    ServiceName, "service", lower,
    "use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit"
);
name!(
    /// An environment, such as `production`. Two words are taken: a target named `machine/x` would
    /// read as [`Subject::Machine`].
    EnvironmentName, "environment", environment,
    "use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit, but not \
     `machine` or `partition`"
);
name!(
    /// A server: one instance of a service, by its short name, which is also its line in HAProxy.
    ServerName, "server", mixed,
    "use 1 to 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit"
);
name!(
    /// A machine, on which one agent runs.
    MachineName, "machine", mixed,
    "use 1 to 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit"
);
name!(
    /// A load balancer of a target, such as `lb1`.
    BalancerName, "balancer", mixed,
    "use 1 to 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit"
);
name!(
    /// A version of a service. It becomes the name of a folder, on Linux and on Windows, where a
    /// device's name, such as `con` or `nul.1`, cannot be one.
    Version, "version", version,
    "use 1 to 100 of A-Z, a-z, 0-9, -, _, . and +, beginning and ending with a letter or digit, \
     but not a device of Windows such as CON, NUL or COM1"
);

/// A number in its one form: no sign, no zeros before it. Two texts of one id would be two keys.
pub(crate) fn canonical(text: &str) -> Option<u32> {
    text.parse()
        .ok()
        .filter(|number: &u32| number.to_string() == text)
}

/// One service in one environment: `production/checkout`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    text: String,
    slash: usize,
}

impl Target {
    /// The target of a service in an environment.
    #[must_use]
    pub fn new(environment: &EnvironmentName, service: &ServiceName) -> Self {
        Self {
            text: format!("{environment}/{service}"),
            slash: environment.as_str().len(),
        }
    }

    /// The same service in another environment.
    #[must_use]
    pub fn in_environment(&self, environment: &EnvironmentName) -> Self {
        Self {
            text: format!("{environment}/{}", self.service()),
            slash: environment.as_str().len(),
        }
    }

    /// `production/checkout`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `production`.
    #[must_use]
    pub fn environment(&self) -> &str {
        self.text.get(..self.slash).unwrap_or_default()
    }

    /// `checkout`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.text.get(self.slash + 1..).unwrap_or_default()
    }
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (environment, service) = text.split_once('/').ok_or_else(|| {
            NameError::new(
                "target",
                text,
                "write environment/service, such as production/checkout",
            )
        })?;
        Ok(Self::new(&environment.parse()?, &service.parse()?))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a record of the log is about; its text decides the partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// `production/checkout`
    Target(Target),
    /// `machine/srv-101`: enrolment and revocation of its agent.
    Machine(MachineName),
    /// `partition/5`: who owns it.
    Partition(u32),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => write!(f, "{target}"),
            Self::Machine(machine) => write!(f, "machine/{machine}"),
            Self::Partition(partition) => write!(f, "partition/{partition}"),
        }
    }
}

impl FromStr for Subject {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some(machine) = text.strip_prefix("machine/") {
            return Ok(Self::Machine(machine.parse()?));
        }
        if let Some(partition) = text.strip_prefix("partition/") {
            return canonical(partition)
                .map(Self::Partition)
                .ok_or_else(|| NameError::new("partition", text, "write partition/ and a number"));
        }
        Ok(Self::Target(text.parse()?))
    }
}
