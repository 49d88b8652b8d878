use crate::data::Failed;
use portcullis_server::{Log, LogFormat};
use std::io::{self, IsTerminal};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

/// The program's log, on standard error. Its filter can be changed while it runs, its format cannot.
pub(crate) struct Logging(reload::Handle<EnvFilter, Registry>);

impl Logging {
    /// Starts the log of this process.
    pub(crate) fn start(log: &Log) -> Result<Self, Failed> {
        let (filter, handle) = reload::Layer::new(filter(log)?);
        let lines: Box<dyn Layer<_> + Send + Sync> = match log.format {
            LogFormat::Text => fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).boxed(),
            LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
        };
        Registry::default().with(filter).with(lines).try_init()?;
        Ok(Self(handle))
    }

    /// Changes the filter.
    pub(crate) fn change(&self, log: &Log) -> Result<(), Failed> {
        Ok(self.0.reload(filter(log)?)?)
    }
}

fn filter(log: &Log) -> Result<EnvFilter, Failed> {
    EnvFilter::try_new(&log.level).map_err(|error| Failed::Failed(format!("log.level `{}`: {error}", log.level)))
}
