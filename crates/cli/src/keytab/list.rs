use super::entries::{Contents, Entry, Use};
use crate::data::Failed;
use crate::output::{Output, table, time};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct View {
    file: String,
    keys: Vec<Row>,
    /// Entries that cannot be read.
    unreadable: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    principal: String,
    kvno: u32,
    enctype: String,
    enctype_number: i32,
    written: Option<String>,
    #[serde(rename = "use")]
    use_: Use,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        Self {
            principal: entry.principal.clone(),
            kvno: entry.kvno,
            enctype: entry.enctype(),
            enctype_number: entry.etype,
            written: entry.written().map(time),
            use_: entry.use_,
        }
    }

    fn cells(&self) -> [String; 5] {
        let written = self.written.clone().unwrap_or_else(|| "-".to_owned());
        let (principal, enctype) = (self.principal.clone(), self.enctype.clone());
        [self.kvno.to_string(), principal, enctype, written, self.use_.note().to_owned()]
    }
}

pub(super) fn run(file: &Path, output: Output) -> Result<(), Failed> {
    let contents = Contents::read(file)?;
    let keys: Vec<_> = contents.entries.iter().map(Row::of).collect();
    let view = View { file: contents.path.display().to_string(), keys, unreadable: contents.unreadable };
    output.print(&view, |view| {
        let mut text = table(["KVNO", "PRINCIPAL", "ENCTYPE", "WRITTEN", "NOTE"], view.keys.iter().map(Row::cells));
        for error in &view.unreadable {
            text.push_str(&format!("\nan entry cannot be read: {error}"));
        }
        text
    })
}
