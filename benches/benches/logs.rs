//! The log engine: bytes per second by format and threads, and the normaliser alone.

use std::hint::black_box;
use std::io::Cursor;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pg_logstats_benches::{Format, log, statement};
use pg_logstats_logs::{Options, Source, analyse, normalise::normalise};

const LOG_BYTES: usize = 8 * 1024 * 1024;

fn formats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyse");
    for format in [Format::Stderr, Format::Csv, Format::Json] {
        let text = log(format, LOG_BYTES);
        group.throughput(Throughput::Bytes(text.len() as u64));
        for threads in [1, 2] {
            group.bench_function(BenchmarkId::new(format!("{format:?}"), threads), |bencher| {
                let options = Options {
                    threads,
                    ..Options::default()
                };
                bencher.iter_batched(
                    || {
                        vec![Source::stream(
                            "bench".to_owned(),
                            Box::new(Cursor::new(text.clone().into_bytes())),
                        )]
                    },
                    |sources| black_box(analyse(sources, &options, &|_| {})),
                    criterion::BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

fn normaliser(criterion: &mut Criterion) {
    let statements: Vec<String> = (0..64).map(statement).collect();
    let mut group = criterion.benchmark_group("normalise");
    group.throughput(Throughput::Bytes(statements.iter().map(|sql| sql.len() as u64).sum()));
    group.bench_function("mixed", |bencher| {
        bencher.iter(|| {
            for sql in &statements {
                black_box(normalise(black_box(sql.as_bytes())));
            }
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = formats, normaliser
}
criterion_main!(benches);
