// Marks as they are drawn, and which of them lies at a point. A mark: kind, positive, cls (an index), and its places.

const DARK = "#10151b";
const LIGHT = "#fff";
export const RADIUS = 8; // of a click on the stage, CSS pixels

// Strokes a path such that it shows on any colour: dark, light and the class's own.
export function strokeTwice(context, path, unit, colour, dash = []) {
  context.lineJoin = context.lineCap = "round";
  for (const [style, width] of [[DARK, 5], [LIGHT, 3.2], [colour, 1.8]]) {
    context.setLineDash(style === colour ? dash.map((length) => length * unit) : []);
    context.strokeStyle = style;
    context.lineWidth = width * unit;
    context.stroke(path);
  }
  context.setLineDash([]);
}

// A filled disc with + is the class, a ring with − is not: the shape says it without the colour.
function drawClick(context, x, y, radius, positive, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = positive ? colour : DARK;
  context.fill();
  context.lineWidth = Math.max(1.5, radius / 4);
  context.strokeStyle = positive ? LIGHT : colour;
  context.stroke();
  if (radius < 5) return;
  context.lineWidth = Math.max(0.75, radius / 16);
  context.strokeStyle = DARK;
  context.beginPath();
  context.arc(x, y, radius + Math.max(1.2, radius / 7), 0, 2 * Math.PI);
  context.stroke();
  drawSign(context, x, y, radius, positive);
}

function drawSign(context, x, y, radius, positive) {
  const arm = radius * 0.5;
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  if (positive) {
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  }
  for (const [style, width] of positive ? [[LIGHT, 3], [DARK, 2]] : [[LIGHT, 2]]) {
    context.strokeStyle = style;
    context.lineWidth = (width * radius) / 8;
    context.stroke();
  }
}

function boxPath(mark) {
  const path = new Path2D();
  path.rect(mark.left, mark.top, mark.right - mark.left, mark.bottom - mark.top);
  return path;
}

function linePath(mark) {
  const path = new Path2D();
  const [[y, x], ...rest] = mark.points;
  path.moveTo(x + 0.5, y + 0.5);
  if (!rest.length) path.lineTo(x + 0.501, y + 0.5);
  for (const [row, column] of rest) path.lineTo(column + 0.5, row + 0.5);
  return path;
}

// Where the sign of a mark stands, in pixels of the image.
export function anchor(mark) {
  if (mark.kind === "box") return { x: mark.left, y: mark.top };
  if (mark.kind === "stroke") return { x: mark.points[0][1] + 0.5, y: mark.points[0][0] + 0.5 };
  return { x: mark.x + 0.5, y: mark.y + 0.5 };
}

// Draws on a canvas whose transform takes pixels of the image to those of the canvas, of which `unit` are a CSS pixel.
export function drawMark(context, mark, unit, radius, colour, chosen = false) {
  const place = context.getTransform();
  const { x, y } = place.transformPoint(anchor(mark));
  const small = radius < 5;
  if (mark.kind === "box") {
    if (small) thin(context, boxPath(mark), unit / place.a, colour);
    else strokeTwice(context, boxPath(mark), unit / place.a, colour, mark.positive ? [] : [5, 5]);
  }
  if (mark.kind === "stroke") {
    context.lineJoin = context.lineCap = "round";
    context.globalAlpha = 0.45;
    context.strokeStyle = mark.positive ? colour : DARK;
    context.lineWidth = 2 * mark.radius + 1;
    context.stroke(linePath(mark));
    context.globalAlpha = 1;
    thin(context, linePath(mark), unit / place.a, mark.positive ? LIGHT : colour);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  const size = radius * unit * (mark.kind === "click" || small ? 1 : 0.85);
  drawClick(context, x, y, size, mark.positive, colour);
  if (chosen) {
    const ring = new Path2D();
    ring.arc(x, y, size + 5 * unit, 0, 2 * Math.PI);
    strokeTwice(context, ring, unit, "#8cc8ff");
  }
  context.setTransform(place);
}

function thin(context, path, unit, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * unit;
  context.stroke(path);
}

// The mark, the last one if there are several, whose sign lies within a few CSS pixels of a point of the image.
export function markAt(marks, x, y, scale) {
  const reach = (RADIUS + 1) / scale;
  const near = (mark) => Math.hypot(anchor(mark).x - x, anchor(mark).y - y) <= reach;
  return marks.filter((mark) => mark.id !== undefined).findLast(near) ?? null;
}
