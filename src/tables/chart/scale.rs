//! The vertical axis.

use super::ChartError;
use super::series::ChartData;

/// The values of the vertical axis.
pub(super) struct ValueScale {
    /// The lowest and the highest, both of which are ticks.
    pub range: (f64, f64),
    pub step: f64,
    pub ticks: Vec<f64>,
}

impl ValueScale {
    /// Whole steps around all values; bars stand on zero, lines where that does not flatten them.
    pub fn of(data: &ChartData, lines: bool) -> Result<Self, ChartError> {
        let values = || data.series.iter().flat_map(|series| &series.values).flatten().copied();
        let (mut low, mut high) = values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if !low.is_finite() || !high.is_finite() {
            return Err(ChartError::NoNumbers);
        }
        if !lines || (low > 0.0 && low < high * 0.4) || (high < 0.0 && high > low * 0.4) {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        // Values that agree in nine digits get a range around them.
        let least = low.abs().max(high.abs()) * 1e-9;
        if high - low <= least {
            let around = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            (low, high) = (low - around, high + around);
        }
        let span = high - low;
        if !(span * 2.0).is_finite() || span < 1e-300 {
            return Err(ChartError::TooLarge);
        }
        let rough = span / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 2.5, 5.0].into_iter().find(|nice| nice * power >= rough * 0.9);
        let step = nice.unwrap_or(10.0) * power;
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // Times a whole number: sums of steps would drift.
        let ticks = (0..=(last - first) as usize).map(|at| (first + at as f64) * step).collect();
        Ok(Self { range: (first * step, last * step), step, ticks })
    }
}
