//! The URL of a Jenkins job: the only thing that names it for sure. Its short name does not: every
//! branch job of a multibranch project is called after its branch.

/// A job's URL in the one form that is compared: capitals of scheme, host and percent-codes make no
/// difference, nor does a slash at the end.
pub(super) fn canonical(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let (origin, path) = match url.find("://").map(|at| at + 3) {
        Some(host) => {
            let end = url.get(host..).and_then(|rest| rest.find('/'));
            url.split_at(end.map_or(url.len(), |end| host + end))
        }
        None => ("", url),
    };
    let mut text = origin.to_ascii_lowercase();
    let mut code = 0;
    for char in path.chars() {
        text.push(if code > 0 {
            char.to_ascii_uppercase()
        } else {
            char
        });
        code = if char == '%' {
            2
        } else {
            i32::max(code - 1, 0)
        };
    }
    text
}

/// Whether a job that a sender names is this one: by its URL, by the URL of one of its builds, or
/// by `JOB_NAME`, its path without `/job/`.
pub(super) fn is(job: &str, said: &str, build_url: Option<&str>) -> bool {
    let job = canonical(job);
    let of_build = build_url.map(canonical);
    let of_build = of_build.as_deref().and_then(|url| url.rsplit_once('/'));
    let path = job.split("/job/").skip(1).collect::<Vec<_>>().join("/");
    canonical(said) == job
        || of_build.is_some_and(|(of, _)| of == job)
        || (!path.is_empty() && said.trim_matches('/') == path)
}

/// Where the controller is that a job lies on: all before the first `/job/`.
pub(super) fn controller(job: &str) -> String {
    let job = canonical(job);
    let root = job.split("/job/").next().unwrap_or_default();
    format!("{root}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "https://jenkins.example/job/shop/job/main/";

    #[test]
    fn the_same_job_is_recognised_in_every_spelling() {
        for same in [
            MAIN,
            "HTTPS://Jenkins.Example/job/shop/job/main",
            "shop/main",
        ] {
            assert!(is(MAIN, same, None), "{same}");
        }
        assert!(is(
            MAIN,
            "main",
            Some("https://jenkins.example/job/shop/job/main/7/")
        ));
        let branch = "https://jenkins.example/job/shop/job/a%2Fb/";
        assert!(is(
            branch,
            "https://jenkins.example/job/shop/job/a%2fb",
            None
        ));
    }

    #[test]
    fn another_job_is_another_one_however_alike() {
        for other in [
            "main",
            "https://jenkins.example/job/shop/job/main-2/",
            "https://jenkins.example/job/shop/job/Main/",
            "https://other.example/job/shop/job/main/",
            "https://jenkins.example/job/shop/job/main/job/x/",
            "",
        ] {
            assert!(!is(MAIN, other, None), "{other}");
        }
        assert!(!is(
            MAIN,
            "x",
            Some("https://jenkins.example/job/shop/job/PR-17/7/")
        ));
    }

    #[test]
    fn the_controller_is_all_before_the_first_job() {
        assert_eq!(controller(MAIN), "https://jenkins.example/");
        assert_eq!(
            controller("http://ci.example/jenkins/job/a/"),
            "http://ci.example/jenkins/"
        );
    }
}
