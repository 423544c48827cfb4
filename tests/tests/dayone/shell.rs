//! One shell in which commands are typed one after the other.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A whole rollout, on a machine that builds something.
const COMMAND: Duration = Duration::from_secs(120);

/// A shell; it ends with all that it has started when this is dropped.
pub(crate) struct Shell {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    pub(crate) async fn open(folder: &Path, environment: &[(&str, String)]) -> Self {
        let mut bash = Command::new("bash");
        bash.current_dir(folder)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0);
        let mut child = bash.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut shell = Self {
            child,
            input,
            output,
        };
        assert_eq!(shell.type_in("exec 2>&1").await, (String::new(), 0));
        shell
    }

    /// Types a command, and gives what it said and its exit code.
    pub(crate) async fn type_in(&mut self, command: &str) -> (String, i32) {
        const END: &str = "the command ended with ";
        let line = format!("{command}\necho '{END}'$?\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
        let mut said = vec![];
        loop {
            let line = timeout(COMMAND, self.output.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("`{command}` does not end: {said:?}"));
            let line = line.unwrap().expect("the shell lives");
            if let Some(code) = line.strip_prefix(END) {
                return (said.join("\n"), code.parse().unwrap());
            }
            said.push(line);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = pid.and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
