/** Which parts of a picture its label comes from: a grid of numbers as colors and as words. */

const SIDE = 240;
const STRONGEST = 0.85;
// Below this, a grid says nothing, and its noise is not to be drawn as if it did.
const LEAST = 0.0005;
const LITTLE = 0.01;
// A grid that peaks below is drawn as fainter: nothing in the picture matters by itself.
const FAINTEST_PEAK = 0.02;
const FAINT = [255, 214, 64];
const STRONG = [214, 30, 60];
const AGAINST = [40, 110, 255];

/** Paint the grid on a canvas with the picture's proportions: warm speaks for, blue against. */
export function paintHeat(canvas, grid, picture) {
  const shrink = SIDE / Math.max(picture.width, picture.height);
  canvas.width = Math.max(1, Math.round(picture.width * shrink));
  canvas.height = Math.max(1, Math.round(picture.height * shrink));
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const columns = weightsAlong(canvas.width, grid[0].length);
  const rows = weightsAlong(canvas.height, grid.length);
  const values = rows.flatMap((row) => columns.map((column) => valueAt(grid, row, column)));
  const most = values.reduce((found, value) => Math.max(found, Math.abs(value)), FAINTEST_PEAK);
  values.forEach((value, at) => image.data.set(colorOf(value / most), 4 * at));
  context.putImageData(image, 0, 0);
}

/** A sentence that says the same as the colors. */
export function heatInWords(grid, label) {
  const most = Math.max(...grid.flat());
  if (most < LEAST) return `No single part speaks for ${label}: hiding one takes nothing from it.`;
  const points = (most * 100).toFixed(most < LITTLE ? 1 : 0);
  const effect = `hiding it takes ${points} ${points === "1" ? "point" : "points"} from the score.`;
  const little = most < LITTLE ? ", but little" : "";
  const seen = -Math.max(most, FAINTEST_PEAK) / 4;
  const cold = Math.min(...grid.flat()) < seen ? " Blue speaks against it." : "";
  return `Warm speaks for ${label}, most at the ${strongestPlace(grid)}${little}: ${effect}${cold}`;
}

function colorOf(share) {
  const strength = Math.min(1, Math.abs(share));
  const mix = share < 0 ? AGAINST : FAINT.map((faint, i) => faint + (STRONG[i] - faint) * strength);
  return [...mix, 255 * STRONGEST * strength];
}

function valueAt(grid, row, column) {
  let value = 0;
  for (const [y, rowWeight] of row) {
    for (const [x, weight] of column) value += grid[y][x] * rowWeight * weight;
  }
  return value;
}

/** For each pixel, the cells around it with their shares of a cubic B-spline: smooth, no steps. */
function weightsAlong(pixels, cells) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = ((pixel + 0.5) / pixels) * cells - 0.5;
    const first = Math.floor(place) - 1;
    return [0, 1, 2, 3].map((step) => [
      Math.min(cells - 1, Math.max(0, first + step)),
      bSpline(Math.abs(place - first - step)),
    ]);
  });
}

function bSpline(distance) {
  if (distance >= 2) return 0;
  if (distance >= 1) return (2 - distance) ** 3 / 6;
  return (4 - 6 * distance ** 2 + 3 * distance ** 3) / 6;
}

/** The ninth of the picture with the strongest cell, such as "top left" or "center". */
function strongestPlace(grid) {
  const at = grid.flat().indexOf(Math.max(...grid.flat()));
  const width = grid[0].length;
  return placeName(third(Math.floor(at / width), grid.length), third(at % width, width));
}

function third(index, count) {
  return Math.floor(((index + 0.5) / count) * 3);
}

function placeName(row, column) {
  const words = [["top", "", "bottom"][row], ["left", "", "right"][column]].filter(Boolean);
  return words.join(" ") || "center";
}
