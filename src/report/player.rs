//! The part of the page that plays the paths over a surface.

use serde::Serialize;
use serde_json::{Value, json};

use super::draw::{ContourBand, Scene, ScenePath};

/// The HTML fragment with its data.
pub fn player(scene: &Scene) -> String {
    let surface = &scene.surface;
    let painting_order: Vec<Option<usize>> = scene
        .painting_order()
        .iter()
        .map(|path| scene.paths.iter().position(|other| other.label == path.label))
        .collect();
    let data = json!({
        "axes": scene.axes,
        "surface": {
            "name": surface.name,
            "formula": scene.height,
            "window": surface.window,
            "minima": surface.minima,
        },
        "bands": scene.bands.iter().map(band).collect::<Vec<_>>(),
        "painting_order": painting_order,
        "paths": scene.paths.iter().map(path).collect::<Vec<_>>(),
    });
    include_str!("player.html").replacen("{{ player_data }}", &in_script(&data), 1)
}

/// Data as JSON in a script element. No text of a user ends the script, or begins a comment or a
/// script in it.
pub fn in_script(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default().replace('<', "\\u003c")
}

fn path(path: &ScenePath) -> Value {
    let points: Vec<Value> = path
        .points
        .iter()
        .map(|[x, y, height]| json!([rounded(*x), rounded(*y), finite(*height)]))
        .collect();
    let diverged = path.diverged.as_ref();
    json!({
        "label": path.label.replace(',', ""),
        "setting": path.setting,
        "color": path.style.hex(),
        "dash": path.style.dashes(),
        "points": points,
        "ended": if diverged.is_some() { "diverged" } else { "finished" },
        "ended_step": diverged.map(|end| end.step),
        "reason": diverged.map(|end| &end.reason),
    })
}

fn band(band: &ContourBand) -> Value {
    let (r, g, b) = band.fill;
    let ring = |ring: &Vec<[f64; 2]>| -> Vec<Value> {
        ring.iter().map(|[x, y]| json!([rounded(*x), rounded(*y)])).collect()
    };
    json!({
        "from": finite(band.from),
        "to": finite(band.to),
        "fill": format!("#{r:02x}{g:02x}{b:02x}"),
        "rings": band.rings.iter().map(ring).collect::<Vec<_>>(),
    })
}

/// JSON has no number that is not finite.
fn finite(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

/// As many digits as can be seen.
fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}
