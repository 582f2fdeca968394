//! A distribution as a small SVG: which share of the values is at or below what.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 4] = ["#1f6fb4", "#999999", "#d1571b", "#3a923a"];

/// One curve: a name, and its values in any order.
#[derive(Debug)]
pub struct Series<'a> {
    /// For the legend.
    pub name: &'a str,
    /// What was measured.
    pub values: Vec<f64>,
}

/// The curves over a logarithmic axis of values, as a document.
pub fn distribution(title: &str, unit: &str, series: &[Series<'_>]) -> String {
    let all = || {
        let values = series.iter().flat_map(|s| s.values.iter().copied());
        values.filter(|v| *v > 0.0)
    };
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(0.0, f64::max);
    if !low.is_finite() {
        return String::new();
    }
    // Whole decades, so that the axis has round numbers at its ends.
    let (first, last) = (
        low.log10().floor(),
        high.log10().ceil().max(low.log10().floor() + 1.0),
    );
    let x = |value: f64| {
        let share = (value.max(low).log10() - first) / (last - first);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    };
    let y = |share: f64| TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"15\">{title}</text>\n"
    );
    let mut exponent = first;
    while exponent <= last {
        let (at, bottom) = (x(10f64.powf(exponent)), HEIGHT - BOTTOM);
        let label = 10f64.powf(exponent);
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label} {unit}</text>",
            bottom + 18.0
        );
        exponent += 1.0;
    }
    for share in [0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0] {
        let at = y(share);
        let right = WIDTH - RIGHT;
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#eee\"/>");
        // 99 % and 100 % are too close for two labels.
        if share != 0.99 {
            let (left, down) = (LEFT - 6.0, at + 4.0);
            let percent = 100.0 * share;
            let _ = writeln!(
                svg,
                "<text x=\"{left}\" y=\"{down:.1}\" text-anchor=\"end\">{percent} %</text>"
            );
        }
    }
    for (i, Series { name, values }) in series.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let points = curve(values, x, y);
        let legend = HEIGHT - 10.0;
        let at = LEFT + 160.0 * i as f64;
        let _ = writeln!(
            svg,
            "<path d=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{at}\" y=\"{legend}\" fill=\"{colour}\">{name} ({} values)</text>",
            values.len()
        );
    }
    svg + "</svg>\n"
}

/// At most some hundred points of the values' cumulative distribution.
fn curve(values: &[f64], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let step = (sorted.len() / 400).max(1);
    let mut points = String::new();
    for (i, value) in sorted.iter().enumerate() {
        if i % step == 0 || i + 1 == sorted.len() {
            let letter = if points.is_empty() { 'M' } else { 'L' };
            let share = (i + 1) as f64 / sorted.len() as f64;
            let _ = write!(points, "{letter}{:.1} {:.1}", x(*value), y(share));
        }
    }
    points
}
