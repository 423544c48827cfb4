//! Commands of scripts about packages of tests, and about servers that leave or join.

use events::RequestedTests;

use super::Stage;

impl Stage {
    /// The same for commands of this kind; none when it is none of them.
    pub(super) fn play_fleet(&mut self, words: &[&str]) -> Option<Vec<String>> {
        Some(match words {
            ["request", version, "tests", package] => self.request_tested(version, package),
            _ => return None,
        })
    }

    fn request_tested(&mut self, version: &str, package: &str) -> Vec<String> {
        let mut request = self.asked(version, None);
        request.tests = Some(RequestedTests {
            url: format!("https://artifacts.example/shop/{package}.tar.gz"),
            sha256: events::sha256(package.as_bytes()),
        });
        self.says("ci", request)
    }
}
