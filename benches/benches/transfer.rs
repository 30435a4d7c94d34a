//! Criterion group `transfer`: a large file on disk, verified on its way up and down each lane, beside MD5
//! alone and the bare pipeline. 64 MiB, or 1 GiB with `SIM_BENCH_LARGE=1`.
//!
//! What is measured is the run of the transport: connection, session, both digests, the file in its place
//! (made durable if it is an upload). The harness's own comparison of every byte is left out, and so is
//! deleting the file.

use std::time::Duration;

use benches::bare::{Bare, md5};
use benches::transfer::{Workload, size, transport};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use faults::Direction;
use sim::scenario::TransportKind;

fn transfer(criterion: &mut Criterion) {
    let size = size();
    let workload = Workload::new(size).expect("the file can be written");
    let mut group = criterion.benchmark_group(format!("transfer/{} MiB", size >> 20));
    group.throughput(Throughput::Bytes(size));
    group.sampling_mode(SamplingMode::Flat).sample_size(10).warm_up_time(Duration::from_secs(1));
    group.bench_function("md5", |bencher| bencher.iter(|| md5(workload.source()).expect("it can be read")));
    for direction in [Direction::Upload, Direction::Download] {
        bare_pipeline(&mut group, &workload, direction);
        for kind in TransportKind::ALL {
            lane(&mut group, &workload, direction, kind);
        }
    }
    group.finish();
}

fn bare_pipeline(group: &mut BenchmarkGroup<'_, WallTime>, workload: &Workload, direction: Direction) {
    let bare = Bare::new().expect("a socket can be made");
    group.bench_function(name(direction, "bare"), |bencher| {
        bencher.iter_batched(
            || workload.sink(direction).expect("a file can be made"),
            |(sink, place)| {
                bare.run(workload.source(), sink, workload.name()).expect("the pipeline runs");
                place
            },
            BatchSize::PerIteration,
        );
    });
}

fn lane(
    group: &mut BenchmarkGroup<'_, WallTime>,
    workload: &Workload,
    direction: Direction,
    kind: TransportKind,
) {
    let mut transport = transport(kind).expect("the transport can be made");
    group.bench_function(name(direction, &kind.to_string()), |bencher| {
        bencher.iter_batched(
            || workload.prepare(direction).expect("the place can be made"),
            |transfer| transfer.run(&mut *transport).expect("the transfer is verified"),
            BatchSize::PerIteration,
        );
    });
}

fn name(direction: Direction, what: &str) -> String {
    match direction {
        Direction::Upload => format!("upload/{what}"),
        Direction::Download => format!("download/{what}"),
    }
}

criterion_group!(benches, transfer);
criterion_main!(benches);
