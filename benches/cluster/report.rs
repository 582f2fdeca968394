//! What was measured, as a table for people and as JSON Lines for machines.

use std::fmt::Write;

use serde_json::json;

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// Rates.
    Higher,
    /// Times and sizes.
    Lower,
}

/// What a figure is held against.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bar {
    /// Nothing.
    None,
    /// Its own value: the bar and the aim.
    Value(f64, f64),
    /// Its ratio to the floor's: the bar and the aim.
    Ratio(f64, f64),
}

/// One figure of a scenario, measured several times.
#[derive(Clone, Debug)]
pub struct Row {
    scenario: String,
    figure: String,
    unit: &'static str,
    better: Better,
    bar: Bar,
    values: Vec<f64>,
    floor: Vec<f64>,
    /// How the runs become one value: their median, unless the figure says "worst" of them.
    worst: bool,
}

impl Row {
    /// A figure without a floor or a bar so far.
    pub fn new(scenario: &str, figure: &str, unit: &'static str, values: Vec<f64>) -> Row {
        Row {
            scenario: scenario.to_string(),
            figure: figure.to_string(),
            unit,
            better: Better::Lower,
            bar: Bar::None,
            values,
            floor: Vec::new(),
            worst: false,
        }
    }

    /// Higher is better.
    pub fn higher(mut self) -> Row {
        self.better = Better::Higher;
        self
    }

    /// What the floor did in the same runs.
    pub fn floor(mut self, floor: Vec<f64>) -> Row {
        self.floor = floor;
        self
    }

    /// What this is held against.
    pub fn bar(mut self, bar: Bar) -> Row {
        self.bar = bar;
        self
    }

    /// The worst of the runs counts.
    pub fn worst(mut self) -> Row {
        self.worst = true;
        self
    }

    fn summary(&self, values: &[f64]) -> f64 {
        let (low, high) = range(values);
        match (self.worst, self.better) {
            (false, _) => median(values),
            (true, Better::Higher) => low,
            (true, Better::Lower) => high,
        }
    }

    fn ratio(&self) -> Option<f64> {
        let floor = self.summary(&self.floor);
        (!self.floor.is_empty() && floor > 0.0).then(|| self.summary(&self.values) / floor)
    }

    /// Whether the bar and the aim are met.
    fn verdict(&self) -> Option<(bool, bool)> {
        let (value, bar, aim) = match self.bar {
            Bar::None => return None,
            Bar::Value(bar, aim) => (self.summary(&self.values), bar, aim),
            Bar::Ratio(bar, aim) => (self.ratio()?, bar, aim),
        };
        let meets = |limit: f64| match self.better {
            Better::Higher => value >= limit,
            Better::Lower => value <= limit,
        };
        Some((meets(bar), meets(aim)))
    }

    fn cells(&self) -> [String; 8] {
        let (low, high) = range(&self.values);
        let floor = match self.floor.is_empty() {
            true => String::new(),
            false => number(self.summary(&self.floor)),
        };
        let (bar, aim) = match self.bar {
            Bar::None => (String::new(), String::new()),
            Bar::Value(bar, aim) => (number(bar), number(aim)),
            Bar::Ratio(bar, aim) => (self.share(bar), self.share(aim)),
        };
        let verdict = match self.verdict() {
            None => "",
            Some((_, true)) => "  aim met",
            Some((true, false)) => "  bar met",
            Some((false, _)) => "  MISSED",
        };
        [
            format!("{} · {}", self.scenario, self.figure),
            format!("{} {}", number(self.summary(&self.values)), self.unit),
            format!("{}–{}", number(low), number(high)),
            self.values.len().to_string(),
            floor,
            self.ratio().map_or(String::new(), |r| self.share(r)),
            if bar.is_empty() {
                bar
            } else {
                format!("{bar} / {aim}")
            },
            verdict.to_string(),
        ]
    }

    /// A ratio to the floor: rates in per cent of it, times as a multiple.
    fn share(&self, ratio: f64) -> String {
        match self.better {
            Better::Higher => format!("{:.1} %", 100.0 * ratio),
            Better::Lower => format!("{ratio:.2}×"),
        }
    }

    fn json(&self) -> String {
        let (bar, aim, of) = match self.bar {
            Bar::None => (None, None, None),
            Bar::Value(bar, aim) => (Some(bar), Some(aim), Some("value")),
            Bar::Ratio(bar, aim) => (Some(bar), Some(aim), Some("ratio")),
        };
        let floor = (!self.floor.is_empty()).then(|| self.summary(&self.floor));
        json!({
            "scenario": self.scenario,
            "figure": self.figure,
            "unit": self.unit,
            "value": self.summary(&self.values),
            "runs": self.values,
            "floor": floor,
            "floor_runs": self.floor,
            "ratio": self.ratio(),
            "bar_of": of,
            "bar": bar,
            "aim": aim,
            "met": self.verdict().map(|(bar, _)| bar),
        })
        .to_string()
    }
}

/// Everything that was measured, and what could not be.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    failures: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a figure; one without any value is left out.
    pub fn add(&mut self, row: Row) {
        if !row.values.is_empty() {
            self.rows.push(row);
        }
    }

    /// A scenario could not be measured.
    pub fn fail(&mut self, scenario: &str, why: &str) {
        self.failures.push((scenario.to_string(), why.to_string()));
    }

    /// Something to know about the figures.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// True if a scenario could not be measured.
    pub fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// For machines: one object a line.
    pub fn json_lines(&self) -> String {
        let rows = self.rows.iter().map(|row| row.json() + "\n");
        let failures = self.failures.iter().map(|(scenario, why)| {
            json!({ "scenario": scenario, "failure": why }).to_string() + "\n"
        });
        rows.chain(failures).collect()
    }

    /// For people.
    pub fn table(&self) -> String {
        let heads = [
            "scenario",
            "median",
            "range",
            "runs",
            "floor",
            "of floor",
            "bar / aim",
            "",
        ];
        let mut cells = vec![heads.map(str::to_string)];
        cells.extend(self.rows.iter().map(Row::cells));
        let width = |i: usize| {
            cells
                .iter()
                .map(|c| c[i].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let mut table = String::new();
        for row in &cells {
            for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                let _ = match i {
                    0 => write!(table, "{cell}{pad}"),
                    7 => write!(table, "{cell}"),
                    _ => write!(table, "  {pad}{cell}"),
                };
            }
            table.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(table, "{note}");
        }
        for (scenario, why) in &self.failures {
            let _ = writeln!(table, "{scenario}: NOT MEASURED: {why}");
        }
        table
    }
}

/// The middle of the values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    (
        low,
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}

/// Three digits that matter, and thousands apart.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        0.0 => 0,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped + rest
}
