//! Scratch.
fn main() {
    let args: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let runs = args.first().copied().unwrap_or(1000);
    let first = args.get(1).copied().unwrap_or(1);
    let t = std::time::Instant::now();
    println!("{}", poolshift_simulation::walks(first, runs, None, 2));
    println!("{:?}", t.elapsed());
}
