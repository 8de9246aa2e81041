/** Which parts of a picture its label comes from: a grid of numbers as colors and as words. */

const SIDE = 240;
const STRONGEST = 0.85;
// Below this, a grid says nothing, and its noise is not to be drawn as if it did.
const LEAST = 0.002;
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
  const most = Math.max(LEAST, ...grid.flat().map(Math.abs));
  const columns = weightsAlong(canvas.width, grid[0].length);
  const rows = weightsAlong(canvas.height, grid.length);
  for (let y = 0, at = 0; y < canvas.height; y += 1) {
    for (let x = 0; x < canvas.width; x += 1, at += 4) {
      image.data.set(colorOf(valueAt(grid, rows[y], columns[x]) / most), at);
    }
  }
  context.putImageData(image, 0, 0);
}

/** A sentence that says the same as the colors. */
export function heatInWords(grid, label) {
  const most = Math.max(...grid.flat());
  if (most < LEAST) return `No single part speaks for ${label}: hiding any one hardly matters.`;
  const points = Math.max(1, Math.round(most * 100));
  const unit = points === 1 ? "point" : "points";
  return (
    `Warm parts speak for ${label}, those at the ${strongestPlace(grid)} most: ` +
    `hiding one lowers the score by up to ${points} ${unit}.`
  );
}

function colorOf(share) {
  const strength = Math.min(1, Math.abs(share));
  const mix = share < 0 ? AGAINST : FAINT.map((faint, i) => faint + (STRONG[i] - faint) * strength);
  return [...mix, 255 * STRONGEST * strength ** 0.8];
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

/** The ninth of the picture with the highest mean, such as "top left" or "center". */
function strongestPlace(grid) {
  const sums = new Map();
  grid.forEach((row, y) => {
    row.forEach((value, x) => {
      const place = placeName(third(y, grid.length), third(x, row.length));
      const { sum, count } = sums.get(place) ?? { sum: 0, count: 0 };
      sums.set(place, { sum: sum + value, count: count + 1 });
    });
  });
  const means = [...sums].map(([place, { sum, count }]) => [place, sum / count]);
  return means.reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

function third(index, count) {
  return Math.floor(((index + 0.5) / count) * 3);
}

function placeName(row, column) {
  const words = [["top", "", "bottom"][row], ["left", "", "right"][column]].filter(Boolean);
  return words.join(" ") || "center";
}
