//! Criterion group `faults`: what the fault layer costs a verified upload of 64 MiB, on memory and tcp: without
//! it, with it idle, and with one flipped bit. The last one ends in a failed comparison and a discard.

use std::time::Duration;

use benches::transfer::{Faults, Workload, size, transport};
use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use faults::Direction;
use sim::scenario::TransportKind;

fn faults(criterion: &mut Criterion) {
    let size = size();
    let workload = Workload::new(size).expect("the file can be written");
    let mut group = criterion.benchmark_group(format!("faults/{} MiB", size >> 20));
    group.throughput(Throughput::Bytes(size));
    group.sampling_mode(SamplingMode::Flat).sample_size(10).warm_up_time(Duration::from_secs(1));
    for kind in [TransportKind::Memory, TransportKind::Tcp] {
        for faults in [Faults::None, Faults::Idle, Faults::OneFlip] {
            let mut transport = transport(kind).expect("the transport can be made");
            group.bench_function(format!("{kind}/{faults:?}"), |bencher| {
                bencher.iter_batched(
                    || workload.prepare_with(Direction::Upload, faults).expect("the place can be made"),
                    |transfer| transfer.run(&mut *transport).expect("the transfer goes as it should"),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, faults);
criterion_main!(benches);
