//! Processor time, memory and files of this process, under the names that monitoring systems expect.

use prometheus_client::registry::Registry;

/// Adds the metrics of the process, where the operating system has them.
#[cfg(target_os = "linux")]
pub(super) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(linux::Itself));
}

/// Adds nothing: only Linux has the files that are read.
#[cfg(not(target_os = "linux"))]
pub(super) fn register(_: &mut Registry) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::fmt;

    use procfs::process::{LimitValue, Process};
    use procfs::{ProcResult, WithCurrentSystemInfo as _};
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
    use prometheus_client::metrics::MetricType;
    use prometheus_client::metrics::counter::ConstCounter;
    use prometheus_client::metrics::gauge::ConstGauge;
    use prometheus_client::registry::Unit;

    #[derive(Debug)]
    pub(super) struct Itself;

    /// The readings of a scrape.
    struct Readings {
        cpu_seconds: f64,
        gauges: [(&'static str, &'static str, Option<Unit>, f64); 6],
    }

    fn read() -> ProcResult<Readings> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let second = as_f64(procfs::ticks_per_second());
        let began = as_f64(procfs::boot_time_secs()?) + as_f64(stat.starttime) / second;
        let files_max = match process.limits()?.max_open_files.soft_limit {
            LimitValue::Unlimited => f64::INFINITY,
            LimitValue::Value(files) => as_f64(files),
        };
        let files = as_f64(process.fd_count()?.try_into().unwrap_or(u64::MAX));
        let threads = as_f64(stat.num_threads.try_into().unwrap_or_default());
        let resident = as_f64(stat.rss_bytes().get());
        let (bytes, seconds) = (Some(Unit::Bytes), Some(Unit::Seconds));
        Ok(Readings {
            cpu_seconds: as_f64(stat.utime + stat.stime) / second,
            gauges: [
                ("process_resident_memory", "Resident memory.", bytes.clone(), resident),
                ("process_virtual_memory", "Virtual memory.", bytes, as_f64(stat.vsize)),
                ("process_start_time", "Start of the process since 1970.", seconds, began),
                ("process_open_fds", "Open file descriptors.", None, files),
                ("process_max_fds", "The limit of open file descriptors.", None, files_max),
                ("process_threads", "Threads of the process.", None, threads),
            ],
        })
    }

    impl Collector for Itself {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            // If /proc cannot be read, the other metrics are still printed.
            let Ok(Readings { cpu_seconds, gauges }) = read() else { return Ok(()) };
            let help = "Processor time of the process.";
            let (unit, kind) = (Some(&Unit::Seconds), MetricType::Counter);
            let metric = encoder.encode_descriptor("process_cpu", help, unit, kind)?;
            ConstCounter::new(cpu_seconds).encode(metric)?;
            for (name, help, unit, value) in gauges {
                let kind = MetricType::Gauge;
                let metric = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
                ConstGauge::new(value).encode(metric)?;
            }
            Ok(())
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric has 53 bits")]
    fn as_f64(value: u64) -> f64 {
        value as f64
    }
}
