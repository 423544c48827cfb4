//! Results of a test suite, as JUnit XML.

use anyhow::{Context, Result};
use quick_xml::escape::escape;
use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

/// What one run of the suite found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

impl Report {
    /// Adds the result of one case.
    pub(crate) fn add(&mut self, name: &'static str, took: Duration, result: Result<()>) {
        let failure = result.err().map(|error| format!("{error:#}"));
        self.cases.push(Case {
            name,
            took,
            failure,
        });
    }

    /// Whether there were cases and all of them passed.
    pub(crate) fn passed(&self) -> bool {
        !self.cases.is_empty() && self.failures() == 0
    }

    /// Writes the report; the file is there whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let fresh = path.with_extension("part");
        std::fs::write(&fresh, self.xml())
            .and_then(|()| std::fs::rename(&fresh, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn failures(&self) -> usize {
        self.cases
            .iter()
            .filter(|case| case.failure.is_some())
            .count()
    }

    fn xml(&self) -> String {
        let total: Duration = self.cases.iter().map(|case| case.took).sum();
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"shop\" tests=\"{}\" \
             failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{:.3}\">\n",
            self.cases.len(),
            self.failures(),
            total.as_secs_f64(),
        );
        for case in &self.cases {
            xml.push_str(&case.xml());
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            match &case.failure {
                Some(why) => writeln!(out, "FAILED {}: {why}", case.name)?,
                None => writeln!(out, "passed {}", case.name)?,
            }
        }
        write!(
            out,
            "{} cases, {} failed",
            self.cases.len(),
            self.failures()
        )
    }
}

impl Case {
    fn xml(&self) -> String {
        let seconds = self.took.as_secs_f64();
        let rest = match &self.failure {
            Some(why) => format!("><failure message=\"{}\"/></testcase>", escape(why)),
            None => "/>".to_owned(),
        };
        let name = self.name;
        format!("  <testcase classname=\"shop\" name=\"{name}\" time=\"{seconds:.3}\"{rest}\n")
    }
}
