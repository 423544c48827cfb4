//! Names to addresses: a name must not lead where its address would not be allowed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Hosts, is_of_the_machine_itself};

/// The system's resolver, without the addresses that artifacts never come from. Behind a proxy it
/// is the proxy that resolves names.
#[derive(Debug, Clone)]
pub(crate) struct Resolver(pub(crate) Arc<Hosts>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_named = self.0.is_named(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good: Vec<SocketAddr> = found
                .filter(|address| is_named || !is_of_the_machine_itself(address.ip()))
                .collect();
            if good.is_empty() {
                return Err(io::Error::other(format!(
                    "{} leads to no address but one that only this machine's own network answers \
                     on; if it is meant, add it to this agent's `artifact_hosts`",
                    name.as_str()
                ))
                .into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    async fn addresses(allowed: &[String], name: &str) -> Result<usize, String> {
        let hosts = Hosts::new(allowed, &BTreeMap::new()).expect("good hosts");
        let name = name.parse().expect("a name");
        let found = Resolver(Arc::new(hosts)).resolve(name).await;
        found
            .map(Iterator::count)
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_machine_s_own_network_leads_nowhere() {
        let error = addresses(&[], "169.254.169.254")
            .await
            .expect_err("refused");
        assert!(error.contains("`artifact_hosts`"), "{error}");
        let allowed = ["169.254.169.254".to_owned()];
        assert_eq!(addresses(&allowed, "169.254.169.254").await, Ok(1));
        assert!(addresses(&[], "localhost").await.is_ok());
    }
}
