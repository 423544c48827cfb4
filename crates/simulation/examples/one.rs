//! Scratch.
fn main() {
    let seed: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1);
    let t = std::time::Instant::now();
    let w = poolshift_simulation::walk(seed, None);
    println!("{:?} {:?}", t.elapsed(), w.map(|w| (w.steps, w.violations)));
    if std::env::args().nth(2).is_some() {
    for line in poolshift_simulation::trace(seed, None) { println!("{line}"); } }
}
