//! Getting Kafka onto the machine.

use crate::apt;
use anyhow::{Context, Result, ensure};
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

/// The release that the tests run on.
const VERSION: &str = "4.4.0";

/// 54 MB over a slow line.
const DOWNLOAD: Duration = Duration::from_secs(600);

/// Whether it is our turn is told by nobody.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The programs of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jars {
    folder: PathBuf,
}

impl Jars {
    /// What Java calls the class path.
    pub(super) fn class_path(&self) -> OsString {
        self.folder.join("*").into_os_string()
    }

    /// Which release they are.
    #[must_use]
    pub fn version(&self) -> &'static str {
        VERSION
    }
}

/// Installs Java and Maven with apt if they are missing, and has Maven download Kafka into the
/// target folder if it is not there. Says so on stderr.
///
/// # Errors
/// When that cannot be done.
pub async fn ensure_installed() -> Result<Jars> {
    let folder = target()?.join(format!("kafka-{VERSION}"));
    let jars = Jars {
        folder: folder.join("libs"),
    };
    if !runs("java", "-version").await {
        apt::install("default-jre-headless").await?;
    }
    if jars.folder.is_dir() {
        return Ok(jars);
    }
    if !runs("mvn", "-version").await {
        apt::install("maven").await?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let turn = turn(&folder.join("lock")).await?;
    if !jars.folder.is_dir() {
        eprintln!(
            "missing, and downloaded with Maven: Kafka {VERSION} into {}",
            folder.display()
        );
        download(&folder, &jars.folder).await?;
    }
    drop(turn);
    Ok(jars)
}

/// One downloads at a time; the others find it done. The turn ends with its file.
async fn turn(lock: &Path) -> Result<File> {
    let file = File::create(lock).with_context(|| format!("cannot make {}", lock.display()))?;
    let until = Instant::now() + DOWNLOAD;
    while file.try_lock().is_err() {
        ensure!(
            Instant::now() < until,
            "another downloads Kafka for too long: end it"
        );
        sleep(LOOK_EVERY).await;
    }
    Ok(file)
}

/// A folder that is there is whole.
async fn download(folder: &Path, jars: &Path) -> Result<()> {
    fs::write(folder.join("pom.xml"), POM).context("cannot write the list for Maven")?;
    let mut maven = Command::new("mvn");
    maven
        .args([
            "-q",
            "-B",
            "dependency:copy-dependencies",
            "-DoutputDirectory=new",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let status = timeout(DOWNLOAD, maven.status())
        .await
        .context("Maven takes too long to download Kafka")?
        .context("cannot run mvn")?;
    ensure!(
        status.success(),
        "Maven cannot download Kafka {VERSION} ({status}): see above"
    );
    fs::rename(folder.join("new"), jars)
        .with_context(|| format!("cannot put Kafka at {}", jars.display()))
}

async fn runs(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

/// Where cargo builds: above `debug/deps` or `release`, in which the program lies that calls this.
fn target() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot find my own program")?;
    let profile = own
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"));
    let target = profile
        .and_then(Path::parent)
        .context("my own program lies nowhere")?;
    Ok(target.to_owned())
}

const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>poolshift</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>4.4.0</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>4.4.0</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.5</version>
    </dependency>
  </dependencies>
</project>
"#;

#[cfg(test)]
mod tests {
    use super::{POM, VERSION};

    #[test]
    fn maven_gets_the_version_that_the_folder_is_named_for() {
        let wanted = format!("<version>{VERSION}</version>");
        assert_eq!(POM.matches(&wanted).count(), 2);
    }
}
