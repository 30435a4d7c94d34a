//! Criterion group `runs`: runs per second of the 22 steps with a 1 KiB file on each lane, on one thread.

use benches::runs::Basic;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim::scenario::TransportKind;

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("runs");
    group.throughput(Throughput::Elements(1));
    for kind in TransportKind::ALL {
        let mut basic = Basic::new(kind).expect("the scenario can be run");
        group.bench_function(kind.to_string(), |bencher| bencher.iter(|| basic.run()));
    }
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
