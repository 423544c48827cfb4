//! What only the log in one file promises: on real files, with processes really killed.

#[cfg(test)]
mod child;
#[cfg(test)]
mod files;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod model;
#[cfg(test)]
mod room;
#[cfg(test)]
mod sharing;

#[cfg(test)]
fn record(key: &str, value: &str) -> poolshift_bus::Outgoing {
    let value = value.as_bytes().to_vec();
    poolshift_bus::Outgoing {
        key: key.to_owned(),
        headers: Vec::new(),
        value,
    }
}

#[cfg(test)]
async fn read(
    bus: &poolshift_bus::Bus,
    stream: poolshift_bus::Stream,
    partition: u32,
) -> Vec<poolshift_bus::Record> {
    let start = poolshift_bus::Position::Start;
    bus.follow(stream, &[partition], &start)
        .unwrap()
        .catch_up()
        .await
        .unwrap()
}
